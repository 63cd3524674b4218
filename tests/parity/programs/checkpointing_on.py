"""What enable_checkpointing() sets.

Covers: S19, S20
"""

from pyflink.datastream import CheckpointingMode, StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(1000)
print(
    env.get_checkpoint_interval(), env.get_checkpointing_mode(), env.get_checkpoint_config().is_checkpointing_enabled()
)
env.enable_checkpointing(500, CheckpointingMode.AT_LEAST_ONCE)
print(env.get_checkpoint_interval(), env.get_checkpointing_mode())

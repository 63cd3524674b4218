"""The defaults of an environment.

Covers: S4, S19, S20
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
config = env.get_config()
print(config.get_auto_watermark_interval(), env.get_buffer_timeout(), config.is_object_reuse_enabled())
print(env.get_checkpoint_interval(), env.get_checkpointing_mode(), env.is_unaligned_checkpoints_enabled())
checkpoints = env.get_checkpoint_config()
print(checkpoints.get_checkpoint_timeout(), checkpoints.get_max_concurrent_checkpoints())
print(checkpoints.get_min_pause_between_checkpoints(), checkpoints.is_checkpointing_enabled())
print(checkpoints.get_tolerable_checkpoint_failure_number(), checkpoints.get_externalized_checkpoint_retention())

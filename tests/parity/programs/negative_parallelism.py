"""A parallelism below 1 is refused.

Covers: S7
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(-3)

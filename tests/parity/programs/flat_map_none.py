"""flat_map that returns None fails.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).flat_map(lambda x: None).print()
env.execute()

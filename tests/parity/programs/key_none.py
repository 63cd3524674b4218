"""None is a key like any other.

Covers: S10
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).key_by(lambda x: None).reduce(lambda a, b: a + b).print()
env.execute()

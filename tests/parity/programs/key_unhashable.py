"""A key need not be hashable: equal lists are one key.

Covers: S10
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2, 1]).key_by(lambda x: [x]).reduce(lambda a, b: a + b).print()
env.execute()

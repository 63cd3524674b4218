"""A union has the records of all its streams, and of one twice if it is named twice.

Covers: union
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
first, second = env.from_collection([1, 2]), env.from_collection([3])
first.union(second, env.from_collection([4]), second).map(lambda x: x * 10).print()
env.execute()

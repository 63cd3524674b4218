"""A function that takes another number of arguments than the operator gives fails when the first record comes.

Covers: S13, errors
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(lambda a, b: a).print()
print("built")
env.execute()

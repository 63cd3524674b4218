"""min() and max() keep the other fields of the first record.

Covers: S9
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
keyed = env.from_collection([("a", 2, "x"), ("a", 1, "y"), ("a", 3, "z")]).key_by(lambda x: x[0])
keyed.min(1).print("min")
keyed.max(1).print("max")
env.execute()

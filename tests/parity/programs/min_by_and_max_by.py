"""min_by() and max_by() return whole records; of equals the first.

Covers: S9
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = [("a", 2, "first"), ("a", 1, "second"), ("a", 3, "third"), ("a", 1, "fourth"), ("a", 3, "fifth")]
keyed = env.from_collection(values).key_by(lambda x: x[0])
keyed.min_by(1).print("min_by")
keyed.max_by(1).print("max_by")
env.execute()

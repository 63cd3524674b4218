"""Which subtask owns which key: pickled keys.

Covers: S10
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
keys = [*"abcdefgh", 1, 2, 3, None, (1, "a"), 1.5, True, b"x"]
env.from_collection(keys).key_by(lambda x: x).map(repr).print("owner")
env.execute()

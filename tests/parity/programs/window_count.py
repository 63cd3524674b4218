"""Count windows fire for every so many records of a key; what is left at the end is dropped.

Covers: S5
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([("a", 1), ("b", 2), ("a", 3), ("a", 4), ("a", 5), ("a", 6)])
values.key_by(lambda x: x[0]).count_window(2).reduce(lambda a, b: (a[0], a[1] + b[1])).print()
env.execute()

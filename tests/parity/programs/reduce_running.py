"""A keyed reduce emits a running result for each record; the first of a key goes through as it is.

Covers: S9
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([("a", 1), ("b", 5), ("a", 2), ("a", 3)])
values.key_by(lambda x: x[0]).reduce(lambda a, b: ("sum", a[1] + b[1])).print()
env.execute()

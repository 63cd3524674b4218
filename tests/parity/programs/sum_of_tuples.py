"""sum() adds a field up and keeps the others of the first record.

Covers: S9
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([("a", 1, "x"), ("b", 5, "y"), ("a", 2, "z")])
values.key_by(lambda x: x[0]).sum(1).print()
env.execute()

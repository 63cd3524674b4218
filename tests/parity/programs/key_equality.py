"""Whether 1, 1.0 and True are one key when keys have no type.

Covers: S10
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([(1, "int"), (1.0, "float"), (True, "bool"), (1, "int")])
values.key_by(lambda x: x[0]).reduce(lambda a, b: (a[0], a[1] + "+" + b[1])).print()
env.execute()

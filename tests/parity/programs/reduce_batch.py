"""In BATCH mode only the last result of each key comes out.

Covers: S9
Order: any
"""

from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
values = env.from_collection([("a", 1), ("b", 5), ("a", 2), ("a", 3)])
values.key_by(lambda x: x[0]).reduce(lambda a, b: (a[0], a[1] + b[1])).print()
env.execute()

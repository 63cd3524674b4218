"""filter keeps what is true in Python's sense.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0, 1, "", "x", [], [0], None, 0.0, "0"]).filter(lambda x: x).print()
env.execute()

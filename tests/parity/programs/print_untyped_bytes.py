"""print() of untyped bytes fails.

Covers: S6
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: b"ab").print()
env.execute()

"""execute() runs what was defined since the last time.

Covers: S20
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
stream = env.from_collection([1])
stream.print("first")
env.execute()
stream.print("second")
env.execute()

"""map may return None, which goes on as a record.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).map(lambda x: None).map(repr).print()
env.execute()

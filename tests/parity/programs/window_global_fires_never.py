"""A global window without a trigger never fires, not even at the end.

Covers: S5
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.window import GlobalWindows

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).key_by(lambda x: 0).window(GlobalWindows.create()).reduce(lambda a, b: a + b).print()
env.execute()

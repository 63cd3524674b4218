"""An exception in close(), when the input has ended.

Covers: S25
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Broken(MapFunction):
    def map(self, value):
        return value

    def close(self):
        raise ValueError("in close")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(Broken()).print()
env.execute()
print("ended")

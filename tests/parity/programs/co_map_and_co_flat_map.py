"""Connected streams with functions for each side.

Covers: connected streams
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import CoFlatMapFunction, CoMapFunction


class Describe(CoMapFunction):
    def map1(self, value):
        return f"left {value}"

    def map2(self, value):
        return f"right {value}"


class Repeat(CoFlatMapFunction):
    def flat_map1(self, value):
        yield from [value] * value

    def flat_map2(self, value):
        if value == "b":
            return
        yield value.upper()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
connected = env.from_collection([1, 2]).connect(env.from_collection(["a", "b"]))
connected.map(Describe()).print("map")
connected.flat_map(Repeat()).print("flat_map")
env.execute()

"""A process function may yield, return an iterable, or return None for no results.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction


class Returns(ProcessFunction):
    def process_element(self, value, ctx):
        if value == "list":
            return [1, 2]
        if value == "tuple":
            return (3,)
        if value == "generator":
            return (x for x in (4, 5))
        return None


class Yields(ProcessFunction):
    def process_element(self, value, ctx):
        if value == 2:
            return
        yield value
        yield value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["list", "none", "tuple", "generator"]).process(Returns()).process(Yields()).print()
env.execute()

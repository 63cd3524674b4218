"""Chained operators pass objects by reference: what the second changes, the first sees.

Covers: S11
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Keep(MapFunction):
    def open(self, runtime_context):
        self.last = None

    def map(self, value):
        before, self.last = self.last, [value]
        return [before, self.last]


def change(value):
    value[1].append("changed")
    return value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).map(Keep()).map(change).print()
env.execute()

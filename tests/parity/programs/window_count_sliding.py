"""Sliding count windows: the newest records, each time so many have come.

Covers: S5
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessWindowFunction


class Collect(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield key, [element[1] for element in elements]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([("a", i) for i in range(1, 8)])
values.key_by(lambda x: x[0]).count_window(3, 2).process(Collect()).print()
env.execute()

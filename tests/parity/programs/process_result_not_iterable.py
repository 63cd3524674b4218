"""A process function that returns one value instead of an iterable fails.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction


class One(ProcessFunction):
    def process_element(self, value, ctx):
        return value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).process(One()).print()
env.execute()

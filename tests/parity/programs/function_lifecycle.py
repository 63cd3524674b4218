"""open() comes before the first record, close() after the last one; a function object may be used twice.

Covers: functions
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Counts(MapFunction):
    def __init__(self):
        self.count = 0

    def open(self, runtime_context):
        self.count = 10

    def map(self, value):
        self.count += 1
        return self.count

    def close(self):
        print("closed", self.count, flush=True)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
counts = Counts()
env.from_collection([0, 0]).map(counts).print("first")
env.from_collection([0]).map(counts).print("second")
env.execute()

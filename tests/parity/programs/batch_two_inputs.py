"""In BATCH mode both inputs of a keyed function are sorted as one: by key, then by event time.

Covers: S9, BATCH
Order: any
"""

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedCoProcessFunction


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Collect(KeyedCoProcessFunction):
    def __init__(self):
        self.seen = {}

    def process_element1(self, value, ctx):
        return self.add("left", value)

    def process_element2(self, value, ctx):
        return self.add("right", value)

    def add(self, side, value):
        seen = self.seen.setdefault(value[0], [])
        seen.append(f"{side} {value[1]}")
        if len(seen) == 4:
            yield value[0], seen


env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
left = env.from_collection([("a", 7), ("b", 1), ("a", 1), ("b", 5)]).assign_timestamps_and_watermarks(strategy)
right = env.from_collection([("a", 4), ("b", 3), ("a", 9), ("b", 8)]).assign_timestamps_and_watermarks(strategy)
left.key_by(lambda x: x[0]).connect(right.key_by(lambda x: x[0])).process(Collect()).print()
env.execute()

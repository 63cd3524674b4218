"""In BATCH mode the records of a key come in the order of their timestamps, each key by itself.

Covers: S9
Order: any
"""

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Collect(KeyedProcessFunction):
    def __init__(self):
        self.seen = ""

    def process_element(self, value, ctx):
        self.seen += f" {value[1]}"
        if value[1] == 9:
            yield value[0] + self.seen
            self.seen = ""


env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
values = env.from_collection([("a", 9), ("b", 3), ("a", 2), ("b", 9), ("a", 5), ("b", 1)])
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
values.assign_timestamps_and_watermarks(strategy).key_by(lambda x: x[0]).process(Collect()).print()
env.execute()

"""A WindowFunction gets key, window and elements.

Covers: S18
Order: any
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment, WindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Collect(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.start, list(inputs))]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([1, 2, 3, 12]).assign_timestamps_and_watermarks(strategy)
stream.key_by(lambda x: x % 2).window(TumblingEventTimeWindows.of(Time.milliseconds(10))).apply(Collect()).print()
env.execute()

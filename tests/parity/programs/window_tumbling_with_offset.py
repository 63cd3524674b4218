"""Tumbling windows with an offset.

Covers: S18
Order: any
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        return [(context.window().start, context.window().end, sorted(elements))]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([0, 999, 1000, 5999, 6000, -4001]).assign_timestamps_and_watermarks(strategy)
windows = stream.key_by(lambda x: 0).window(TumblingEventTimeWindows.of(Time.seconds(5), Time.seconds(1)))
windows.process(Describe()).print()
env.execute()

"""Tumbling windows begin at multiples of their size since the epoch, their end is exclusive.

Covers: S5, S18
Order: any
"""

from pyflink.common import Duration, Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        times = [element[1] for element in elements]
        yield key, window.start, window.end, window.max_timestamp(), times, context.current_watermark()


EVENTS = [("a", 1000), ("a", 2000), ("b", 4999), ("a", 5000), ("a", 3000), ("a", 12000), ("a", 1500), ("b", -1)]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(0))
stream = env.from_collection(EVENTS).assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(SecondField()))
stream.key_by(lambda x: x[0]).window(TumblingEventTimeWindows.of(Time.seconds(5))).process(Describe()).print()
env.execute()

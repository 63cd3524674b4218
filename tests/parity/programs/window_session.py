"""Session windows grow until their gap is kept.

Covers: S18
Order: any
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import EventTimeSessionWindows


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield key, context.window().start, context.window().end, sorted(element[1] for element in elements)


EVENTS = [("a", 1000), ("a", 2000), ("b", 4999), ("a", 5000), ("a", 3000), ("a", 12000), ("a", 1500), ("b", 7999)]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
stream = env.from_collection(EVENTS).assign_timestamps_and_watermarks(strategy)
stream.key_by(lambda x: x[0]).window(EventTimeSessionWindows.with_gap(Time.seconds(3))).process(Describe()).print()
env.execute()

"""Session windows whose gap each record decides.

Covers: S18
Order: any
"""

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import EventTimeSessionWindows, SessionWindowTimeGapExtractor


class First(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[0]


class Second(SessionWindowTimeGapExtractor):
    def extract(self, element):
        return element[1]


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield context.window().start, context.window().end, sorted(elements)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(First())
stream = env.from_collection([(0, 5), (6, 100), (50, 1), (200, 2), (202, 2)]).assign_timestamps_and_watermarks(strategy)
windows = stream.key_by(lambda x: 0).window(EventTimeSessionWindows.with_dynamic_gap(Second()))
windows.process(Describe()).print()
env.execute()

"""Windows over a stream without keys.

Covers: S18
Order: any
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessAllWindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Collect(ProcessAllWindowFunction):
    def process(self, context, elements):
        yield context.window().start, list(elements)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([1, 2, 12]).assign_timestamps_and_watermarks(strategy)
stream.window_all(TumblingEventTimeWindows.of(Time.milliseconds(10))).process(Collect()).print("process")
stream.count_window_all(2).reduce(lambda a, b: a + b).print("count")
env.execute()

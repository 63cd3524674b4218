"""A small bounded input sees no watermark before its end, so nothing is late.

Covers: S4
Order: any
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


LATE = OutputTag("late", Types.PICKLED_BYTE_ARRAY())

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([9_000, 20_000, 1_000]).assign_timestamps_and_watermarks(strategy)
windows = stream.key_by(lambda x: 0).window(TumblingEventTimeWindows.of(Time.seconds(5)))
sums = windows.side_output_late_data(LATE).reduce(lambda a, b: a + b)
sums.print("main")
sums.get_side_output(LATE).print("late")
env.execute()

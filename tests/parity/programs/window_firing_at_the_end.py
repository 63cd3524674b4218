"""Windows of several keys fire at the end, each key's in the order of time.

Covers: S4, S5, S18
Order: any
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.window import TumblingEventTimeWindows


class Seconds(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value * 1000


class Count(ProcessWindowFunction):
    def process(self, key, context, elements):
        return [(key, context.window().start, len(list(elements)), context.current_watermark())]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
numbers = env.from_source(NumberSequenceSource(1, 12), WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Seconds())
keyed = numbers.assign_timestamps_and_watermarks(strategy).key_by(lambda x: x % 3)
keyed.window(TumblingEventTimeWindows.of(Time.seconds(5))).process(Count()).print()
env.execute()

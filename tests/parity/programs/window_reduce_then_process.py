"""A window's reduce() and aggregate() with a window function behind them: it gets the one result.

Covers: S18
Order: any
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import AggregateFunction, ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Count(AggregateFunction):
    def create_accumulator(self):
        return 0

    def add(self, value, accumulator):
        return accumulator + 1

    def get_result(self, accumulator):
        return f"{accumulator} records"

    def merge(self, a, b):
        return a + b


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield key, context.window().start, list(elements)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([1, 2, 3, 12]).assign_timestamps_and_watermarks(strategy)
windows = stream.key_by(lambda x: 0).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
windows.reduce(lambda a, b: a + b, Describe()).print("reduce")
windows.aggregate(Count(), Describe()).print("aggregate")
env.execute()

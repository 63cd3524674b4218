"""Without a timestamp an assigner gets Java's smallest long, and the earlier one if there is one.

Covers: S2
"""

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction


class Tells(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        value.append(record_timestamp)
        return 1000


class Shows(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Tells())
stream = env.from_collection([["a"]])
stream.assign_timestamps_and_watermarks(strategy).assign_timestamps_and_watermarks(strategy).process(Shows()).print()
env.execute()

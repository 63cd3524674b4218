"""Even with time between the records the watermark of a small bounded input stays where it began.

Covers: S4
"""

import time

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Show(ProcessFunction):
    def process_element(self, value, ctx):
        time.sleep(0.3)
        yield value, ctx.timer_service().current_watermark()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
env.from_collection([1000, 2000, 9000]).assign_timestamps_and_watermarks(strategy).process(Show()).print()
env.execute()

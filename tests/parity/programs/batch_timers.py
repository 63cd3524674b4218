"""In BATCH mode timers of both domains fire at the end of their key, at the greatest watermark.

Covers: S5, BATCH
Order: any
"""

from pyflink.common import WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value[1] + 2)
        ctx.timer_service().register_processing_time_timer(1)
        yield value, ctx.timer_service().current_watermark()

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), ctx.time_domain().name, timestamp, ctx.timer_service().current_watermark()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
values = env.from_collection([("a", 9), ("b", 3), ("a", 2), ("b", 9)])
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
values.assign_timestamps_and_watermarks(strategy).key_by(lambda x: x[0]).process(Timers()).print()
env.execute()

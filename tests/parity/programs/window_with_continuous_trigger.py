"""How often a continuous trigger fires when a bounded input ends.

Covers: S5, triggers
"""

from pyflink.common import Time, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.window import ContinuousEventTimeTrigger, TumblingEventTimeWindows


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
stream = env.from_collection([("a", 1), ("a", 3)]).assign_timestamps_and_watermarks(strategy)
windows = stream.key_by(lambda x: x[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
trigger = ContinuousEventTimeTrigger.of(Time.milliseconds(4))
windows.trigger(trigger).reduce(lambda a, b: (a[0], a[1] + b[1])).print()
env.execute()

"""State of a window and state of its key.

Covers: S16, S18
Order: any
"""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import TumblingEventTimeWindows

OF_WINDOW = ValueStateDescriptor("of window", Types.INT())
OF_KEY = ValueStateDescriptor("of key", Types.INT())


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Count(ProcessWindowFunction):
    def process(self, key, context, elements):
        of_window, of_key = context.window_state().get_state(OF_WINDOW), context.global_state().get_state(OF_KEY)
        for state in (of_window, of_key):
            state.update((state.value() or 0) + 1)
        yield context.window().start, of_window.value(), of_key.value()

    def clear(self, context):
        context.window_state().get_state(OF_WINDOW).clear()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
stream = env.from_collection([1, 12, 23]).assign_timestamps_and_watermarks(strategy)
stream.key_by(lambda x: 0).window(TumblingEventTimeWindows.of(Time.milliseconds(10))).process(Count()).print()
env.execute()

"""Processing-time timers that are not due when a bounded input ends never fire.

Covers: S5
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        timers.register_processing_time_timer(timers.current_processing_time() + 100_000)
        yield value

    def on_timer(self, timestamp, ctx):
        yield "timer"


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).key_by(lambda x: x).process(Timers()).print()
env.execute()

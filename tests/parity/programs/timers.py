"""Event-time timers of a bounded input fire at its end, in order, once for the same time, unless they were deleted.

Covers: S5, S16
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        timers.register_event_time_timer(value)
        timers.register_event_time_timer(10)
        timers.register_event_time_timer(value + 100)
        timers.delete_event_time_timer(value + 100)
        return []

    def on_timer(self, timestamp, ctx):
        yield timestamp, ctx.timestamp(), str(ctx.time_domain()), ctx.timer_service().current_watermark()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([5, 3, 30]).key_by(lambda x: "key").process(Timers()).print()
env.execute()

"""A timer that a timer registers, for a time before that of others that are due as well.

Covers: S5
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        return []

    def on_timer(self, timestamp, ctx):
        yield timestamp
        if timestamp == 10:
            ctx.timer_service().register_event_time_timer(20)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([10, 30]).key_by(lambda x: "key").process(Timers()).print()
env.execute()

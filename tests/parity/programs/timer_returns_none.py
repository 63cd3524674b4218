"""on_timer() has to return something to iterate over, unlike process_element().

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield value

    def on_timer(self, timestamp, ctx):
        return None


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).key_by(lambda x: x).process(Timers()).print()
env.execute()

"""Side outputs of a keyed process function, also out of a timer.

Covers: S14
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction

SIDE = OutputTag("side", Types.STRING())


class Split(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield SIDE, f"element {value}"
        yield value

    def on_timer(self, timestamp, ctx):
        yield SIDE, f"timer {timestamp}"
        yield -timestamp


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
split = env.from_collection([1, 2]).key_by(lambda x: x).process(Split())
split.print("main")
split.get_side_output(SIDE).print("side")
env.execute()

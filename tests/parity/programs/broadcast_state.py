"""Broadcast state is written by one side and read by the other.

Covers: S16
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedBroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Rules(KeyedBroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield "element", ctx.get_current_key()

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(RULES)
        state.put(value[0], value[1])
        yield "rules", sorted(state.items()), state.contains("r"), state.get("missing")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rules = env.from_collection([("r", 1), ("r", 2), ("s", 3)]).broadcast(RULES)
env.from_collection([1, 2]).key_by(lambda x: x).connect(rules).process(Rules()).print()
env.execute()

"""The other side cannot write broadcast state.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Writes(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        ctx.get_broadcast_state(RULES).put("r", 2)
        yield value

    def process_broadcast_element(self, value, ctx):
        return []


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rules = env.from_collection([("r", 1)]).broadcast(RULES)
env.from_collection([1]).connect(rules).process(Writes()).print()
env.execute()

"""Broadcast state of a descriptor that broadcast() was not given.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

DECLARED = MapStateDescriptor("declared", Types.STRING(), Types.INT())
OTHER = MapStateDescriptor("other", Types.STRING(), Types.INT())


class Rules(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        pass

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(OTHER).put(value, 1)
        yield "put"


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rules = env.from_collection(["x"]).broadcast(DECLARED)
env.from_collection([1]).connect(rules).process(Rules()).print()
env.execute()

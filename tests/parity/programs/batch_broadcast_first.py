"""In BATCH mode all of the broadcast side is read before the other side's first record.

Covers: S16, BATCH
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedBroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Rules(KeyedBroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.get_broadcast_state(RULES).get("last")

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(RULES).put("last", value)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
values = env.from_collection([1, 2])
rules = env.from_collection(list(range(3000))).broadcast(RULES)
values.key_by(lambda x: x).connect(rules).process(Rules()).print()
env.execute()

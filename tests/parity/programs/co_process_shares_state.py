"""Both sides of a keyed two-input function see the same state of a key.

Covers: S16
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedCoProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Sum(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.INT()))

    def add(self, value, ctx):
        total = (self.sum.value() or 0) + value[1]
        self.sum.update(total)
        if total == 111:
            yield ctx.get_current_key(), total

    def process_element1(self, value, ctx):
        yield from self.add(value, ctx)

    def process_element2(self, value, ctx):
        yield from self.add(value, ctx)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
left = env.from_collection([("a", 1), ("b", 1), ("a", 10)]).key_by(lambda x: x[0])
right = env.from_collection([("a", 100), ("b", 110)]).key_by(lambda x: x[0])
left.connect(right).process(Sum()).print()
env.execute()

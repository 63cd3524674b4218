"""Value state is None at first, belongs to its key, and can be cleared.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value, ctx):
        before = self.count.value()
        if before == 2:
            self.count.clear()
        else:
            self.count.update((before or 0) + 1)
        yield value, before, self.count.value()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["a", "a", "b", "a", "a"]).key_by(lambda x: x).process(Count()).print()
env.execute()

"""Reducing state: None at first, then what its function makes of the values.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ReducingStateDescriptor


class Sum(KeyedProcessFunction):
    def open(self, runtime_context):
        descriptor = ReducingStateDescriptor("sum", lambda a, b: a + b, Types.INT())
        self.sum = runtime_context.get_reducing_state(descriptor)

    def process_element(self, value, ctx):
        before = self.sum.get()
        self.sum.add(value)
        yield before, self.sum.get()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2, 3]).key_by(lambda x: 0).process(Sum()).print()
env.execute()

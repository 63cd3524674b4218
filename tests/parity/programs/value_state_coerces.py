"""What value state of a type makes of a value, before and after another key was served.

Covers: S11, S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("kept", Types.FLOAT()))

    def process_element(self, value, ctx):
        before = self.state.value()
        self.state.update(0.1)
        yield value, before, self.state.value()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["a", "a"]).key_by(lambda x: x).process(Keep()).print()
env.execute()

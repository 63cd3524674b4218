"""What is added to a list state has to be of its type.

Covers: S11, S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_list_state(ListStateDescriptor("kept", Types.STRING()))

    def process_element(self, value, ctx):
        self.state.add(value)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([5]).key_by(lambda x: x).process(Keep()).print()
env.execute()

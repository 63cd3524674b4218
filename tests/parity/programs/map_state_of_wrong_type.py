"""What is put into a map state has to be of its types.

Covers: S11, S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_map_state(MapStateDescriptor("kept", Types.STRING(), Types.INT()))

    def process_element(self, value, ctx):
        self.state.put("key", value)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["x"]).key_by(lambda x: x).process(Keep()).print()
env.execute()

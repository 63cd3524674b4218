"""StateTtlConfig takes Time, not Duration.

Covers: S17
"""

from pyflink.common import Duration, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import StateTtlConfig, ValueStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        descriptor = ValueStateDescriptor("kept", Types.INT())
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(Duration.of_hours(1)).build())
        self.state = runtime_context.get_state(descriptor)

    def process_element(self, value, ctx):
        yield self.state.value()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).key_by(lambda x: 0).process(Keep()).print()
env.execute()

"""State with a time to live is gone after it.

Covers: S17
"""

import time

from pyflink.common import Time, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import StateTtlConfig, ValueStateDescriptor


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        brief = ValueStateDescriptor("brief", Types.INT())
        brief.enable_time_to_live(StateTtlConfig.new_builder(Time.milliseconds(50)).build())
        lasting = ValueStateDescriptor("lasting", Types.INT())
        lasting.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())
        self.states = [runtime_context.get_state(brief), runtime_context.get_state(lasting)]

    def process_element(self, value, ctx):
        yield [state.value() for state in self.states]
        for state in self.states:
            state.update(value)
        time.sleep(0.2)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).key_by(lambda x: 0).process(Keep()).print()
env.execute()

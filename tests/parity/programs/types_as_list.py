"""A list of types stands for a row of them, as output_type and as type of a side output.

Covers: types
Order: any
"""

from pyflink.common import Row, Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

TYPES = [Types.INT(), Types.STRING()]
TAG = OutputTag("side", TYPES)


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield TAG, Row(value, "side")
        yield Row(value, "main")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
split = env.from_collection([1]).process(Split(), output_type=TYPES)
print(split.get_type().get_field_names(), TAG.type_info)
split.print()
split.get_side_output(TAG).print()
env.execute()

"""Where a side output is read too, the main output is sent by way of the JVM, so its type is enforced.

Covers: S11, S14
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

TAG = OutputTag("text", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield 0.1
        yield TAG, "side"


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
split = env.from_collection([1]).process(Split(), output_type=Types.FLOAT())
split.map(repr).print("main")
split.get_side_output(TAG).print("side")
env.execute()

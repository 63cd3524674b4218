"""There is no ctx.output().

Covers: S14
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction


class JavaStyle(ProcessFunction):
    def process_element(self, value, ctx):
        ctx.output(OutputTag("side", Types.STRING()), "x")
        yield value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).process(JavaStyle()).print()
env.execute()

"""A side output is yielded with its tag.

Covers: S14
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

TEXT, PAIR = OutputTag("text", Types.STRING()), OutputTag("pair", Types.TUPLE([Types.INT(), Types.STRING()]))


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield TEXT, str(value)
        yield value
        yield PAIR, (value, "x")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
split = env.from_collection([1, 2]).process(Split())
split.print("main")
split.get_side_output(TEXT).print("text")
split.get_side_output(PAIR).print("pair")
env.execute()

"""What goes to a side output is made the tag's type, also for a reader in the same task.

Covers: S11, S14
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

WHOLE, SHORT = OutputTag("whole", Types.INT()), OutputTag("short", Types.FLOAT())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield WHOLE, 1.7
        yield SHORT, 0.1
        yield value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
split = env.from_collection([1]).process(Split())
split.get_side_output(WHOLE).map(repr).print("whole")
split.get_side_output(SHORT).map(repr).print("short")
split.map(repr).print("main")
env.execute()

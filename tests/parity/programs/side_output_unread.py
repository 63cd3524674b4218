"""A tagged record comes out as the pair that it is when nobody reads that side output.

Covers: S14
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

UNREAD = OutputTag("unread", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield UNREAD, value
        yield "unread", value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).process(Split()).map(lambda pair: (type(pair[0]).__name__, pair[1])).print()
env.execute()

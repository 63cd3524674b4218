"""Records of a side output that nobody reads are dropped, and a tuple without a tag is a record.

Covers: S14
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

UNREAD = OutputTag("unread", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield UNREAD, "dropped"
        yield "unread", value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2]).process(Split()).print()
env.execute()

"""A value that is not of its tag's type fails the job, whoever reads it.

Covers: S11, S14
"""

from pyflink.common import Types
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.functions import ProcessFunction

TAG = OutputTag("text", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield TAG, value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([5]).process(Split()).get_side_output(TAG).map(repr).print()
env.execute()

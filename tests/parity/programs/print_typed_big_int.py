"""A function's result cannot be declared BIG_INT: the job fails when it is printed.

Covers: S6, S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: 2**62, output_type=Types.BIG_INT()).print()
env.execute()

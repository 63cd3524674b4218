"""BIG_INT holds no more than 64 bits either.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: 2**70, output_type=Types.BIG_INT()).print()
env.execute()

"""A number beyond 64 bits that is declared LONG fails.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: 2**70, output_type=Types.LONG()).print()
env.execute()

"""A number beyond 32 bits that is declared INT fails.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: 2**40, output_type=Types.INT()).print()
env.execute()

"""A float that is declared INT loses its fraction at the boundary.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1.7, -1.7, 0.2]).map(lambda x: x, output_type=Types.INT()).print()
env.execute()

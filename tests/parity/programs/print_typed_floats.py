"""FLOAT prints with the digits that 32 bits need.

Covers: S6, S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0.1, 1 / 3, 16777217.0, 1e10, 3.4e38, 1e-5]).map(lambda x: x, output_type=Types.FLOAT()).print()
env.execute()

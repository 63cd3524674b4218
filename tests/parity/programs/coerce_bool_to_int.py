"""True that is declared INT is 1.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([True, False]).map(lambda x: x, output_type=Types.INT()).print()
env.execute()

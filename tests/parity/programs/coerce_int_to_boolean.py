"""What a number that is declared BOOLEAN becomes.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0, 1, 2]).map(lambda x: x, output_type=Types.BOOLEAN()).print()
env.execute()

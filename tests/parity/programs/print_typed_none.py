"""print() of None that is declared STRING fails.

Covers: S6
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: None, output_type=Types.STRING()).print()
env.execute()

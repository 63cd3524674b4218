"""A tuple that is declared ROW fails at the boundary.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0]).map(lambda _: (1, "x"), output_type=Types.ROW([Types.INT(), Types.STRING()])).print()
env.execute()

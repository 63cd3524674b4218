"""A tuple that is declared ROW_NAMED fails when it is sent.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
rows = env.from_collection([1]).map(
    lambda x: (x, "z"), output_type=Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
)
rows.rebalance().map(repr).print()
env.execute()

"""A list that is declared TUPLE fails when it is sent.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
pairs = env.from_collection([1]).map(lambda x: [x, "z"], output_type=Types.TUPLE([Types.INT(), Types.STRING()]))
pairs.rebalance().map(repr).print()
env.execute()

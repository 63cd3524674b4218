"""FLOAT has 32 bits, but only once a value has been sent.

Covers: S11
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
floats = env.from_collection([1]).map(lambda _: 0.1, output_type=Types.FLOAT())
floats.map(repr).print("chained")
floats.rebalance().map(repr).set_parallelism(2).map(lambda x: x).set_parallelism(1).print("sent")
env.execute()

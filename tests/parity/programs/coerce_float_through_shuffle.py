"""FLOAT has 32 bits, but only once a value has been sent.

Covers: S11
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(lambda _: 0.1, output_type=Types.FLOAT()).map(repr).print("chained")
env.from_collection([1]).map(lambda _: 0.1, output_type=Types.FLOAT()).key_by(lambda x: 0).map(repr).print("sent")
env.execute()

"""A stream with two readers is sent to both, so types are enforced there, without any shuffle.

Covers: S11
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
floats = env.from_collection([1]).map(lambda _: 0.1, output_type=Types.FLOAT())
floats.map(repr).print("first")
floats.map(repr).print("second")
env.execute()

"""A tuple that is declared LIST, and what arrives behind a shuffle.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
lists = env.from_collection([1]).map(lambda x: (x, 2), output_type=Types.LIST(Types.INT()))
lists.key_by(lambda x: 0).map(repr).print()
env.execute()

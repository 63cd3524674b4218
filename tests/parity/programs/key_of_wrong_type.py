"""A key that is not of its declared type fails.

Covers: S10, S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).key_by(lambda x: x, key_type=Types.STRING()).reduce(lambda a, b: a).print()
env.execute()

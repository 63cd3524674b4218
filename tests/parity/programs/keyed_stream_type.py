"""What type a keyed stream says that it has.

Covers: S8
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
stream = env.from_collection([1], Types.INT())
print(stream.key_by(lambda x: x, Types.INT()).get_type())
print(stream.key_by(lambda x: x).map(lambda x: x, Types.LONG()).get_type())

"""Which subtask owns which key: keys of types LONG, INT, DOUBLE and BOOLEAN.

Covers: S10
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
longs = env.from_collection([*range(1, 9), 2**40, -1], type_info=Types.LONG())
longs.key_by(lambda x: x, key_type=Types.LONG()).map(lambda x: x, output_type=Types.LONG()).print("long")
longs.key_by(lambda x: x % 100, key_type=Types.INT()).map(lambda x: x, output_type=Types.LONG()).print("int")
longs.key_by(lambda x: x / 4, key_type=Types.DOUBLE()).map(lambda x: x, output_type=Types.LONG()).print("double")
longs.key_by(lambda x: x > 4, key_type=Types.BOOLEAN()).map(lambda x: x, output_type=Types.LONG()).print("boolean")
env.execute()

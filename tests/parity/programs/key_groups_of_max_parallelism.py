"""Which subtask owns which key, of three and with a maximum parallelism.

Covers: S10
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(3)
env.set_max_parallelism(7)
words = env.from_collection([*"abcdefgh"], type_info=Types.STRING())
words.key_by(lambda x: x, key_type=Types.STRING()).map(lambda x: x, output_type=Types.STRING()).print("owner")
env.execute()

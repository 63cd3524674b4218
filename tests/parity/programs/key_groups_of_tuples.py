"""Which subtask owns which key: keys of type TUPLE.

Covers: S10
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

PAIR = Types.TUPLE([Types.STRING(), Types.INT()])

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
pairs = env.from_collection([(word, number) for word in "abc" for number in range(3)], type_info=PAIR)
pairs.key_by(lambda x: x, key_type=PAIR).map(lambda x: x, output_type=PAIR).print("owner")
env.execute()

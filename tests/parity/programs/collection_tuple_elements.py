"""Elements of a collection of type TUPLE arrive as tuples.

Covers: S12
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
tuples = env.from_collection([(1, "a")], type_info=Types.TUPLE([Types.INT(), Types.STRING()]))
tuples.map(lambda value: (type(value).__name__, repr(value))).print()
env.execute()

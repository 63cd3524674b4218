"""A collection that is printed as it is, untyped and typed.

Covers: S6, S8
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([(1, "a"), (2, "b")]).print("untyped")
env.from_collection([(1, "a"), (2, "b")], type_info=Types.ROW([Types.INT(), Types.STRING()])).print("typed")
env.from_collection(range(2)).print("range")
env.from_collection([]).print("empty")
env.execute()

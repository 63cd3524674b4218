"""Elements of a collection of type ROW arrive as rows with the names f0, f1.

Covers: S12
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rows = env.from_collection([(1, "a"), (2, None)], type_info=Types.ROW([Types.INT(), Types.STRING()]))
rows.map(lambda row: (type(row).__name__, repr(row), row[0], row.f1)).print()
env.execute()

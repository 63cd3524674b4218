"""Within a chain nothing is coerced: a dict that is declared ROW_NAMED arrives as a dict.

Covers: S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rows = env.from_collection([1]).map(
    lambda x: {"a": x, "b": "z"}, output_type=Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
)
rows.map(lambda row: (type(row).__name__, repr(row))).print()
env.execute()

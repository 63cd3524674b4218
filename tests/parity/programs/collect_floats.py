"""A FLOAT is collected as the number that its shortest text says, wherever it stands in a record.

Covers: S11, S25
"""

from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
FLOAT = Types.FLOAT()
ROW = Types.ROW_NAMED(["a", "b", "c", "d"], [FLOAT, Types.TUPLE([FLOAT]), Types.LIST(FLOAT), Types.MAP(FLOAT, FLOAT)])
one = env.from_collection([1])
with one.map(lambda _: 0.1, FLOAT).execute_and_collect() as results:
    print(list(results))
with one.map(lambda _: Row(0.1, (0.1,), [0.1, 1e30], {0.5: 0.1}), ROW).execute_and_collect() as results:
    print(list(results))

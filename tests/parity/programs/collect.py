"""execute_and_collect() gives an iterator to close, or a list with a limit; records are of the stream's type.

Covers: S25
"""

from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
numbers = env.from_collection([1, 2, 3])
with numbers.map(lambda x: (x, "a")).execute_and_collect() as results:
    print(list(results))
rows = numbers.map(lambda x: Row(x, "a"), output_type=Types.ROW([Types.INT(), Types.STRING()]))
with rows.execute_and_collect("named job") as results:
    print([next(results), *results])
print(numbers.execute_and_collect(limit=2), numbers.execute_and_collect(limit=5))

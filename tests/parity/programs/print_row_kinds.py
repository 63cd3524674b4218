"""A typed Row prints its kind first.

Covers: S6
"""

from pyflink.common import Row, RowKind, Types
from pyflink.datastream import StreamExecutionEnvironment


def with_kind(kind):
    row = Row(1, "x")
    row.set_row_kind(kind)
    return row


KINDS = [RowKind.INSERT, RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER, RowKind.DELETE]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rows = env.from_collection([0, 1, 2, 3]).map(
    lambda i: with_kind(KINDS[i]), output_type=Types.ROW([Types.INT(), Types.STRING()])
)
rows.print()
env.execute()

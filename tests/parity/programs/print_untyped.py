"""Without a type print() shows str() of a value; a Row looks different with and without names.

Covers: S6, S8
"""

import datetime
from decimal import Decimal

from pyflink.common import Row
from pyflink.datastream import StreamExecutionEnvironment

VALUES = [
    (1, "a"),
    {"k": 1},
    Row(1, "x"),
    Row(a=1, b="x"),
    (Row(1), [Row(a=2)]),
    None,
    "s",
    True,
    1.5,
    1e21,
    [1, 2],
    {3},
    Decimal("1.50"),
    datetime.datetime(2020, 1, 1),
]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(list(range(len(VALUES)))).map(lambda i: VALUES[i]).print()
env.execute()

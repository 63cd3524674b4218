"""Decimals print all their digits.

Covers: S6, S11
"""

from decimal import Decimal

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
VALUES = ["1.50", "1E+3", "0.000000001", "-0", "12345678901234567890.12345678901234567890"]
env.from_collection(VALUES).map(Decimal, output_type=Types.BIG_DEC()).print()
env.execute()

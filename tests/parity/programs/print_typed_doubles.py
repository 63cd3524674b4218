"""Doubles print as Java's Double.toString does.

Covers: S6
"""

import math

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

VALUES = [1e21, 1e7, 9999999.0, 1e-3, 1e-4, 0.1, 100.0, 12345678.9, -0.0, 1 / 3, math.nan, math.inf, -math.inf, 5e-324]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(VALUES).map(lambda x: x, output_type=Types.DOUBLE()).print()
env.execute()

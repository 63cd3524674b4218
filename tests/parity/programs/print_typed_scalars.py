"""Typed values print as Java shows them.

Covers: S6
Order: any
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
source = env.from_collection([0])
source.map(lambda _: True, output_type=Types.BOOLEAN()).print("boolean")
source.map(lambda _: 7, output_type=Types.INT()).print("int")
source.map(lambda _: 7, output_type=Types.LONG()).print("long")
source.map(lambda _: 7, output_type=Types.SHORT()).print("short")
source.map(lambda _: 7, output_type=Types.BYTE()).print("byte")
source.map(lambda _: 1.1, output_type=Types.FLOAT()).print("float")
source.map(lambda _: 1.0, output_type=Types.DOUBLE()).print("double")
source.map(lambda _: 1, output_type=Types.DOUBLE()).print("int as double")
source.map(lambda _: "é", output_type=Types.STRING()).print("string")
env.execute()

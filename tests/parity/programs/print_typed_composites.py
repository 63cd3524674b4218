"""Typed tuples, rows, maps and lists print as Java shows them, also inside each other and with nulls.

Covers: S6
Order: any
"""

from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment

INT, STRING = Types.INT(), Types.STRING()

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
source = env.from_collection([0])
source.map(lambda _: (1, "a"), output_type=Types.TUPLE([INT, STRING])).print("tuple")
source.map(lambda _: Row(1, "x"), output_type=Types.ROW([INT, STRING])).print("row")
source.map(lambda _: Row(a=1, b="x"), output_type=Types.ROW_NAMED(["a", "b"], [INT, STRING])).print("named")
source.map(lambda _: {"k": 1}, output_type=Types.MAP(STRING, INT)).print("map")
source.map(lambda _: [1, 2], output_type=Types.LIST(INT)).print("list")
source.map(lambda _: [], output_type=Types.LIST(INT)).print("empty list")
source.map(lambda _: Row(None, None), output_type=Types.ROW([INT, STRING])).print("nulls")
nested = Types.ROW([Types.ROW([INT]), Types.TUPLE([STRING, INT]), Types.LIST(STRING), Types.MAP(STRING, INT)])
source.map(lambda _: Row(Row(1), ("a", 2), ["x", "y"], {"k": 3}), output_type=nested).print("nested")
env.execute()

"""Of several readers of a stream each has records of its own: what one changes, no other sees.

Covers: S11
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment


def spoil(value):
    before = dict(value)
    value["a"] = "spoilt"
    return before


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
values = env.from_collection([1, 2]).map(lambda number: {"a": number})
values.map(spoil).print("first")
values.map(spoil).print("second")
env.execute()

"""The source of a collection has one subtask; its elements are then spread, and values of one key stay in order.

Covers: S7
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction


class InOrder(KeyedProcessFunction):
    def __init__(self):
        self.last = {}

    def process_element(self, value, ctx):
        key, number = value
        if number != self.last.get(key, -1) + 1:
            yield f"{key}: {number} after {self.last.get(key)}"
        self.last[key] = number
        if number == 99:
            yield f"{key} complete"


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
values = [("a", i) for i in range(100)]
env.from_collection(values).key_by(lambda x: x[0]).process(InOrder()).set_parallelism(2).map(lambda x: x).print("seen")
env.execute()

"""List state gives an iterable that is no list.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor


class Collect(KeyedProcessFunction):
    def open(self, runtime_context):
        self.items = runtime_context.get_list_state(ListStateDescriptor("items", Types.INT()))

    def process_element(self, value, ctx):
        yield "before", list(self.items.get()), isinstance(self.items.get(), list)
        if value == 3:
            self.items.update([7, 8])
        elif value == 4:
            self.items.add_all([9, 10])
        elif value == 5:
            self.items.clear()
        else:
            self.items.add(value)
        yield "after", list(self.items.get())


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 2, 3, 4, 5]).key_by(lambda x: 0).process(Collect()).print()
env.execute()

"""Map state: a missing key is None, and the views of it.

Covers: S16
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor


class Remember(KeyedProcessFunction):
    def open(self, runtime_context):
        self.map = runtime_context.get_map_state(MapStateDescriptor("map", Types.STRING(), Types.INT()))

    def process_element(self, value, ctx):
        yield self.map.get("missing"), self.map.contains("a"), self.map.is_empty()
        self.map.put("a", value)
        self.map.put_all([("b", 2), ("c", 3)])
        self.map.remove("c")
        self.map["d"] = 4
        yield sorted(self.map.keys()), sorted(self.map.values()), sorted(self.map.items())
        yield sorted(self.map), "a" in self.map, self.map["a"]
        del self.map["a"]
        yield self.map.get("a")
        self.map.clear()


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 5]).key_by(lambda x: 0).process(Remember()).print()
env.execute()

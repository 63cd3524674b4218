"""A global window fires when its trigger says so; PurgingTrigger empties it then.

Covers: S18
Order: any
"""

from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import CountTrigger, GlobalWindows, PurgingTrigger


class Collect(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield context.window().max_timestamp(), list(elements)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
keyed = env.from_collection([1, 2, 3, 4, 5]).key_by(lambda x: 0)
keyed.window(GlobalWindows.create()).trigger(CountTrigger.of(2)).process(Collect()).print("kept")
keyed.window(GlobalWindows.create()).trigger(PurgingTrigger.of(CountTrigger.of(2))).process(Collect()).print("purged")
env.execute()

"""Processing-time windows that are open when a bounded input ends never fire.

Covers: S5
"""

from pyflink.common import Time
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.window import TumblingProcessingTimeWindows

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
keyed = env.from_collection([("a", 1)]).key_by(lambda x: x[0])
keyed.window(TumblingProcessingTimeWindows.of(Time.hours(1))).reduce(lambda a, b: a).print()
env.execute()

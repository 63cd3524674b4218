"""Event-time windows of records without timestamps fail.

Covers: S3
"""

from pyflink.common import Time
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
keyed = env.from_collection([("a", 1)]).key_by(lambda x: x[0])
keyed.window(TumblingEventTimeWindows.of(Time.seconds(5))).reduce(lambda a, b: a).print()
env.execute()

"""In BATCH mode windows of the wall clock fire when their key ends; in a stream that ends they do not.

Covers: S5, BATCH
Order: any
"""

from pyflink.common import Time
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingProcessingTimeWindows

env = StreamExecutionEnvironment.get_execution_environment()
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
env.set_parallelism(1)
keyed = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(lambda x: x[0])
windows = keyed.window(TumblingProcessingTimeWindows.of(Time.days(9999)))
windows.reduce(lambda a, b: (a[0], a[1] + b[1])).print()
env.execute()

"""The names of operators in the execution plan.

Covers: S21
Order: any
"""

import json

from pyflink.common import Time, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.window import TumblingProcessingTimeWindows

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
stream = env.from_collection([1, 2]).map(lambda x: x).filter(lambda x: True).key_by(lambda x: x)
stream.window(TumblingProcessingTimeWindows.of(Time.seconds(1))).reduce(lambda a, b: a).print()
env.from_source(NumberSequenceSource(1, 2), WatermarkStrategy.no_watermarks(), "numbers").map(lambda x: x).name(
    "named"
).print("label")
for node in json.loads(env.get_execution_plan())["nodes"]:
    print(node["type"], node["pact"], node["parallelism"])

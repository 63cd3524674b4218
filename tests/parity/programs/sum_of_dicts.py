"""sum() of a dict's field fails.

Covers: S9
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([{"k": "a", "v": 1}, {"k": "a", "v": 2}]).key_by(lambda x: x["k"]).sum("v").print()
env.execute()

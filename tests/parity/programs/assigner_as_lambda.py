"""A timestamp assigner has to be an object; a lambda fails.

Covers: S2
"""

from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda value, timestamp: value)
env.from_collection([1]).assign_timestamps_and_watermarks(strategy).print()
env.execute()

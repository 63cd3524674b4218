"""Streams of different types cannot be united.

Covers: S8
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1]).union(env.from_collection([2], type_info=Types.INT()))

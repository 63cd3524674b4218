"""With a Configuration given, functions run in another process.

Covers: S26
"""

import os

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

script = os.getpid()

env = StreamExecutionEnvironment.get_execution_environment(Configuration())
env.set_parallelism(1)
env.from_collection([1]).map(lambda _: os.getpid() == script).print()
env.execute()

"""Locally, functions run in the script's own process.

Covers: S26
"""

import os

from pyflink.datastream import StreamExecutionEnvironment

script = os.getpid()

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(lambda _: os.getpid() == script).print()
env.execute()

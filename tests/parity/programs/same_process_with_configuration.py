"""With a Configuration given, functions run in the script's own process too.

Covers: S26
"""

import os

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

script = os.getpid()

configuration = Configuration()
configuration.set_string("pipeline.name", "configured")
env = StreamExecutionEnvironment.get_execution_environment(configuration)
env.set_parallelism(1)
env.from_collection([1]).map(lambda _: os.getpid() == script).print()
env.execute()

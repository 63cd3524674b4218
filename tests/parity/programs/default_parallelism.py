"""The default parallelism is the number of processors.

Covers: S7
"""

import os

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
print(env.get_parallelism() == os.cpu_count(), env.get_max_parallelism())

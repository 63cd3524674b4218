"""A function that holds what cannot be pickled fails when the stream is built.

Covers: S15
"""

import threading

from pyflink.datastream import StreamExecutionEnvironment

lock = threading.Lock()

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(lambda x: (lock, x)[1]).print()
env.execute()

"""An exception in open() fails the job.

Covers: S25
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Opens(MapFunction):
    def open(self, runtime_context):
        raise RuntimeError("cannot open")

    def map(self, value):
        return value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(Opens()).print()
env.execute()

"""A partitioner of the user's own chooses the subtask.

Covers: partitioning
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import Partitioner


class Modulo(Partitioner):
    def partition(self, key, num_partitions):
        return key % num_partitions


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(3)
env.from_collection([3, 4, 5, 7]).partition_custom(Modulo(), lambda x: x).map(lambda x: x).print()
env.execute()

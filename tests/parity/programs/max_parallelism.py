"""What functions are told of the maximum parallelism: of a plain, of a keyed operator, and with one that was set.

Covers: S21
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Number(MapFunction):
    def open(self, runtime_context):
        self.number = runtime_context.get_max_number_of_parallel_subtasks()

    def map(self, value):
        return self.number


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
stream = env.from_collection([1])
stream.map(Number()).print("plain").set_parallelism(1)
stream.key_by(lambda x: x).map(Number()).print("keyed").set_parallelism(1)
stream.map(Number()).set_max_parallelism(7).print("set").set_parallelism(1)
env.execute()

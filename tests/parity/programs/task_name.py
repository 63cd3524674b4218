"""What a function learns of its task: name, subtask, parallelism.

Covers: S21
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction, MapFunction


class Names(MapFunction):
    def open(self, runtime_context):
        self.context = runtime_context

    def map(self, value):
        context = self.context
        return (
            context.get_task_name(),
            context.get_task_name_with_subtasks(),
            context.get_number_of_parallel_subtasks(),
            context.get_index_of_this_subtask(),
            context.get_attempt_number(),
        )


class KeyedNames(KeyedProcessFunction):
    def open(self, runtime_context):
        self.name = runtime_context.get_task_name()

    def process_element(self, value, ctx):
        yield self.name
        yield from value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(Names()).key_by(lambda x: x).process(KeyedNames()).print()
env.execute()

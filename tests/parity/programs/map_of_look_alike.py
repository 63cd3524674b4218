"""A class with a method map() is no MapFunction.

Covers: S15
"""

from pyflink.datastream import StreamExecutionEnvironment


class LooksLikeOne:
    def map(self, value):
        return value


env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1]).map(LooksLikeOne())

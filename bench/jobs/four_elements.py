"""G10: the smallest job, from start to exit."""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

if __name__ == "__main__":
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([1, 2, 3, 4]).map(lambda number: number * number, output_type=Types.LONG()).print()
    env.execute("four elements")

"""A function works on a copy of the script's globals.

Covers: S15
"""

from pyflink.datastream import StreamExecutionEnvironment

count = 0


def increase(value):
    global count
    count += 1
    return count


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["a", "b"]).map(increase).print()
env.execute()
print("afterwards", count)

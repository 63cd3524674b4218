"""flat_map takes any iterable, and splits text into characters.

Covers: S13
"""

from pyflink.datastream import StreamExecutionEnvironment


def results(value):
    if value == 3:
        return (x for x in "yz")
    return [[1, 10], (2, 20), "text", None, {"k": 1}, range(2), []][value]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([0, 1, 2, 3, 4, 5, 6]).flat_map(results).print()
env.execute()

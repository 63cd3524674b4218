"""A mutable closure lives on inside the operator.

Covers: S15
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment


def build(env):
    seen = []
    env.from_collection([1, 2]).map(lambda value: (seen.append(value), len(seen))[1]).print()
    return seen


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
seen = build(env)
env.execute()
print("afterwards", seen)

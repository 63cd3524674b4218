"""Without checkpointing a failed job is not started again.

Covers: S19
"""

import pathlib

from pyflink.datastream import StreamExecutionEnvironment

attempts = pathlib.Path("attempts").absolute()


def fail(value):
    with attempts.open("a") as file:
        file.write("x")
    raise ValueError("always")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(fail).print()
try:
    env.execute()
except Exception:
    print("attempts:", len(attempts.read_text()))

"""With checkpointing a failed job is started again, a second later.

Covers: S19
"""

import pathlib
import time

from pyflink.datastream import StreamExecutionEnvironment

attempts = pathlib.Path("attempts").absolute()


def fail_once(value):
    with attempts.open("a") as file:
        file.write(f"{time.time()}\n")
    if len(attempts.read_text().splitlines()) == 1:
        raise ValueError("the first time")
    return value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.enable_checkpointing(60_000)
env.from_collection([1]).map(fail_once).print()
env.execute()
first, second = map(float, attempts.read_text().split())
print("waited", 0.8 < second - first < 10)

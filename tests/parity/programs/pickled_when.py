"""When a function is copied: a global changed between definition and execute().

Covers: S15
"""

from pyflink.datastream import StreamExecutionEnvironment

word = "defined"

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
stream = env.from_collection([1]).map(lambda _: word)
word = "before print()"
stream.print()
word = "before execute()"
env.execute()

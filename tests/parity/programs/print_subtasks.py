"""With more than one subtask, print() puts the subtask's number first, counted from 1.

Covers: S6, S7
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
stream = env.from_collection(["a", "e"]).key_by(lambda x: x).map(lambda x: x)
stream.print()
stream.print("lbl")
env.execute()

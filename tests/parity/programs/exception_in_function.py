"""An exception of the user's code comes out of execute() as Py4JJavaError.

Covers: S25
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1, 0]).map(lambda x: 1 // x).print()
env.execute()

"""What broadcast, rebalance, rescale and shuffle do to four records at parallelism 2.

Covers: partitioning
Order: any
"""

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
stream = env.from_collection([1, 2, 3, 4]).map(lambda x: x).set_parallelism(1)
stream.broadcast().map(lambda x: x).print("broadcast")
stream.rebalance().map(lambda x: "x").print("rebalance")
stream.rescale().map(lambda x: "x").print("rescale")
stream.shuffle().map(lambda x: x).print("shuffle").set_parallelism(1)
env.execute()

"""NumberSequenceSource has both its ends.

Covers: sources
Order: any
"""

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.no_watermarks()
env.from_source(NumberSequenceSource(-1, 2), strategy, "typed", Types.LONG()).print("typed")
env.from_source(NumberSequenceSource(5, 5), strategy, "one").print("one")
env.execute()

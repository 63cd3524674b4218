"""A job without a sink is run, for what its functions do; a source that nothing reads is not.

Covers: S20
"""

import pathlib

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

seen = pathlib.Path("seen").absolute()

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).map(lambda x: seen.write_text(f"seen {x}"))
env.from_source(NumberSequenceSource(1, 2**60), WatermarkStrategy.no_watermarks(), "endless", Types.LONG())
env.execute()
print(seen.read_text())

"""What Flink 2 has removed.

Covers: S24
"""

from pyflink import datastream
from pyflink.datastream import StreamExecutionEnvironment

for name in ("TimeCharacteristic", "ExternalizedCheckpointCleanup"):
    try:
        getattr(datastream, name)
        print(name, "is there")
    except AttributeError:
        print(name, "is gone")
env = StreamExecutionEnvironment.get_execution_environment()
try:
    env.set_stream_time_characteristic  # noqa: B018
    print("set_stream_time_characteristic() is there")
except AttributeError:
    print("set_stream_time_characteristic() is gone")

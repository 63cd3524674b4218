"""An element that is not of the declared type fails before the job starts.

Covers: S8, S11
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
try:
    env.from_collection(["x"], type_info=Types.INT()).print()
    env.execute()
except Exception:
    print("refused")

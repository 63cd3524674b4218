"""sum() of a named row's field, by name and by position.

Covers: S9
Order: any
"""

from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
rows = env.from_collection(
    [Row(k="a", v=1), Row(k="a", v=2)], type_info=Types.ROW_NAMED(["k", "v"], [Types.STRING(), Types.INT()])
)
rows.key_by(lambda x: x["k"]).sum("v").print("name")
rows.key_by(lambda x: x["k"]).sum(1).print("position")
env.execute()

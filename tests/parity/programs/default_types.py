"""Without a declaration everything is of type PickledByteArrayTypeInfo.

Covers: S8
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
stream = env.from_collection([(1, "a")])
print(stream.get_type(), stream.map(lambda x: x).get_type(), stream.filter(lambda x: True).get_type())
typed = env.from_collection([1], type_info=Types.INT())
print(typed.get_type(), typed.filter(lambda x: True).get_type(), typed.map(lambda x: x).get_type())
print(typed.key_by(lambda x: x).reduce(lambda a, b: a).get_type(), stream.name("x").get_name())

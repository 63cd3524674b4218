"""Other operators refuse functions of the wrong kind too.

Covers: S15
"""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction


class Identity(MapFunction):
    def map(self, value):
        return value


env = StreamExecutionEnvironment.get_execution_environment()
stream = env.from_collection([(1, 2)])
for what, build in {
    "filter": lambda: stream.filter(Identity()),
    "flat_map": lambda: stream.flat_map(Identity()),
    "key_by": lambda: stream.key_by(Identity()),
    "reduce": lambda: stream.key_by(lambda x: x[0]).reduce(Identity()),
}.items():
    try:
        build()
        print(what, "accepted")
    except TypeError as error:
        print(what, "TypeError:", error)

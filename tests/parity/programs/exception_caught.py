"""A script catches the failure of a job by py4j's name and finds its own exception in the text.

Covers: S25
"""

from py4j.protocol import Py4JJavaError
from pyflink.datastream import StreamExecutionEnvironment


def fail(value):
    raise ValueError(f"no {value}")


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection(["luck"]).map(fail).print()
try:
    env.execute()
except Py4JJavaError as error:
    print("caught", "ValueError: no luck" in str(error))

"""What execute() and execute_async() return.

Covers: S25
"""

import re

from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.from_collection([1]).print()
result = env.execute()
print(
    type(result).__name__, bool(re.fullmatch("[0-9a-f]{32}", str(result.get_job_id()))), result.get_net_runtime() >= 0
)
env.from_collection([2]).print()
client = env.execute_async("named")
result = client.get_job_execution_result().result()
print(
    type(client).__name__,
    client.get_job_id() == result.get_job_id() or str(client.get_job_id()) == str(result.get_job_id()),
)

"""Asynchronous I/O by coroutines, results as they come.

Covers: asynchronous I/O
Order: any
"""

import asyncio

from pyflink.common import Time
from pyflink.datastream import AsyncDataStream, AsyncFunction, StreamExecutionEnvironment


class Wait(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep(value / 100)
        return [value, -value]

    def timeout(self, value):
        return ["timeout"]


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
stream = env.from_collection([5, 1, 3])
AsyncDataStream.unordered_wait(stream, Wait(), Time.seconds(20), 10).print("any order")
env.execute()

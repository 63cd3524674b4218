"""Runs small programs and returns their records."""

from __future__ import annotations

import json
from typing import Any

from wiesel.datastream import DataStream, StreamExecutionEnvironment


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    """Return an environment of its own."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    return env


def collect(stream: DataStream) -> list[Any]:
    """Run the program and return the stream's records."""
    with stream.execute_and_collect() as results:
        return list(results)


def plan(env: StreamExecutionEnvironment) -> dict[str, dict[str, Any]]:
    """Return the nodes of the program's plan by their names."""
    return {node["contents"]: node for node in json.loads(env.get_execution_plan())["nodes"]}

"""Records the execution plans and task names of ``plan_programs.py`` on the real PyFlink 2.3.0.

    PATH=VENV/bin:$PATH VENV/bin/python tests/parity/record_plans.py > tests/parity/plans.json

``VENV`` is an environment with ``apache-flink==2.3.0``; Java 17 has to be there. Nothing is executed. Of a plan the ids
are normalised, as Flink numbers transformations from the start of the process: nodes are numbered from 1 in the order
in which the plan has them. ``vertices`` are the tasks of the job graph, sorted: what ``get_task_name()`` says in them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment


def normalised(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes with ids from 1 in the plan's order, predecessors' ids likewise."""
    numbers = {node["id"]: number for number, node in enumerate(plan["nodes"], 1)}
    nodes = []
    for node in plan["nodes"]:
        predecessors = [{**p, "id": numbers[p["id"]]} for p in node.get("predecessors", [])]
        nodes.append({**node, "id": numbers[node["id"]], **({"predecessors": predecessors} if predecessors else {})})
    return nodes


def record(build: Any) -> dict[str, Any]:
    """Build a program at parallelism 2 and return its plan and its vertices."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    build(env)
    plan = normalised(json.loads(env.get_execution_plan()))
    vertices = env._generate_stream_graph(True).getJobGraph().getVerticesAsArray()
    return {"nodes": plan, "vertices": sorted([vertex.getName(), vertex.getParallelism()] for vertex in vertices)}


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from plan_programs import PROGRAMS  # type: ignore[import-not-found, unused-ignore]

    json.dump({name: record(build) for name, build in PROGRAMS.items()}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

"""Plans to read: a job graph as text, a stream graph as Flink's execution-plan JSON."""

from __future__ import annotations

import json

from wiesel.graph.flink_plan import plan_nodes
from wiesel.graph.job_graph import JobGraph
from wiesel.graph.stream_graph import StreamGraph


def to_text(graph: JobGraph) -> str:
    """Return the job graph as indented text: vertices with parallelism, the operators chained in them, the edges."""
    numbers = {vertex.vertex_id: i for i, vertex in enumerate(graph.vertices, 1)}
    lines = [f"Job {graph.job_name!r}: {len(graph.vertices)} vertices"]
    for vertex in graph.vertices:
        lines.append(f"  {numbers[vertex.vertex_id]}. {vertex.name}  (parallelism {vertex.parallelism})")
        for operator in vertex.operators:
            lines.append(f"       operator {operator.name!r}  uid {operator.uid}")
        for edge in graph.in_edges(vertex.vertex_id):
            side = f" side output {edge.side_output!r}" if edge.side_output else ""
            where = f" as input {edge.input_index + 1}" if edge.input_index else ""
            lines.append(
                f"       reads {numbers[edge.source_vertex]}{side} by {edge.partitioning.strategy.value}{where}"
            )
    return "\n".join(lines)


def to_json(graph: StreamGraph) -> str:
    """Return the plan that PyFlink's ``get_execution_plan()`` has for the same program."""
    operators = plan_nodes(graph)
    ids = {operator: number for number, operator in enumerate(operators, 1)}
    nodes = []
    for operator, number in ids.items():
        entry: dict[str, object] = {
            "id": number,
            "type": operator.name,
            "pact": operator.pact,
            "contents": operator.contents,
            "parallelism": operator.parallelism,
        }
        if operator.inputs:
            entry["predecessors"] = [
                {"id": ids[source], "ship_strategy": strategy.value, "side": "second"}
                for source, strategy in operator.inputs
            ]
        nodes.append(entry)
    return json.dumps({"nodes": nodes}, indent=2)

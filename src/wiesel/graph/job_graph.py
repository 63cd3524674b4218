"""The job graph: operators chained into vertices by Flink's rules. One vertex becomes one task a subtask."""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.core.operator_specs import OperatorSpec
from wiesel.core.types import TypeInformation
from wiesel.graph.flink_plan import task_names
from wiesel.graph.stream_graph import StreamEdge, StreamGraph, StreamNode
from wiesel.graph.transformations import ChainingStrategy, Partitioning, ShipStrategy


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Records of operator ``source`` go to operator ``target`` by a plain call; both are indices in the chain."""

    source: int
    target: int
    side_output: str | None
    type_info: TypeInformation | None


@dataclass(frozen=True, slots=True)
class OperatorNode:
    """One operator of a chain."""

    name: str
    uid: str
    spec: OperatorSpec
    keyed: bool
    output_type: TypeInformation | None


@dataclass(frozen=True, slots=True)
class JobVertex:
    """A chain of operators; ``operators[0]`` is its head, the rest follow their inputs."""

    vertex_id: int
    name: str
    operators: tuple[OperatorNode, ...]
    links: tuple[ChainLink, ...]
    parallelism: int
    max_parallelism: int
    slot_sharing_group: str


@dataclass(frozen=True, slots=True)
class JobEdge:
    """Records of one operator go to the head of another vertex through an exchange."""

    source_vertex: int
    source_operator: int
    target_vertex: int
    input_index: int
    partitioning: Partitioning
    side_output: str | None
    type_info: TypeInformation | None


@dataclass(frozen=True, slots=True)
class JobGraph:
    """What ``cluster.execute`` takes: vertices in topological order and the edges between them."""

    job_name: str
    vertices: tuple[JobVertex, ...]
    edges: tuple[JobEdge, ...]

    def operators(self) -> list[tuple[JobVertex, OperatorNode]]:
        """Return every operator with its vertex."""
        return [(vertex, operator) for vertex in self.vertices for operator in vertex.operators]

    def out_edges(self, vertex_id: int) -> list[JobEdge]:
        """Return the edges that leave a vertex."""
        return [edge for edge in self.edges if edge.source_vertex == vertex_id]

    def in_edges(self, vertex_id: int) -> list[JobEdge]:
        """Return the edges that enter a vertex."""
        return [edge for edge in self.edges if edge.target_vertex == vertex_id]


def build_job_graph(graph: StreamGraph) -> JobGraph:
    """Chain what may be chained and return the job graph."""
    nodes = {node.node_id: node for node in graph.nodes}
    incoming: dict[int, list[StreamEdge]] = {node_id: [] for node_id in nodes}
    for edge in graph.edges:
        incoming[edge.target_id].append(edge)

    chained: list[StreamEdge] = []
    head_of: dict[int, int] = {}
    for node in graph.nodes:  # topological, so an input's head is known
        edges = incoming[node.node_id]
        if len(edges) == 1 and _may_chain(edges[0], nodes, graph.chaining_enabled):
            chained.append(edges[0])
            head_of[node.node_id] = head_of[edges[0].source_id]
        else:
            head_of[node.node_id] = node.node_id

    members: dict[int, list[int]] = {}
    for node_id, head in head_of.items():
        members.setdefault(head, []).append(node_id)
    names = task_names(graph)
    vertices = tuple(_vertex(head, ids, nodes, chained, names[head]) for head, ids in members.items())
    edges_ = tuple(
        JobEdge(
            source_vertex=head_of[edge.source_id],
            source_operator=members[head_of[edge.source_id]].index(edge.source_id),
            target_vertex=edge.target_id,
            input_index=edge.input_index,
            partitioning=edge.partitioning,
            side_output=edge.side_output,
            type_info=edge.type_info,
        )
        for edge in graph.edges
        if edge not in chained
    )
    return JobGraph(graph.job_name, vertices, edges_)


def _may_chain(edge: StreamEdge, nodes: dict[int, StreamNode], enabled: bool) -> bool:
    source, target = nodes[edge.source_id], nodes[edge.target_id]
    return (
        enabled
        and edge.partitioning.strategy is ShipStrategy.FORWARD
        and source.parallelism == target.parallelism
        and source.slot_sharing_group == target.slot_sharing_group
        and source.chaining is not ChainingStrategy.NEVER
        and target.chaining is ChainingStrategy.ALWAYS
        and target.number_of_inputs == 1
        and not target.keyed
    )


def _vertex(head: int, ids: list[int], nodes: dict[int, StreamNode], chained: list[StreamEdge], name: str) -> JobVertex:
    index = {node_id: i for i, node_id in enumerate(ids)}
    links = tuple(
        ChainLink(index[edge.source_id], index[edge.target_id], edge.side_output, edge.type_info)
        for edge in chained
        if edge.target_id in index
    )
    operators = tuple(
        OperatorNode(node.name, node.uid, node.spec, node.keyed, node.output_type)
        for node in (nodes[node_id] for node_id in ids)
    )
    return JobVertex(
        vertex_id=head,
        name=name,
        operators=operators,
        links=links,
        parallelism=nodes[head].parallelism,
        max_parallelism=nodes[head].max_parallelism,  # only a head has keyed state, and its key groups depend on it
        slot_sharing_group=nodes[head].slot_sharing_group,
    )

"""A program as PyFlink translates it: the operators that its plans and its tasks' names are made of.

PyFlink has operators that Wiesel does without: ``key_by`` is a map in front of the exchange, a timestamp assigner one
before and one behind the watermarks, ``print`` a map that makes text of a pickled record. And it melts Python operators
that follow each other into one, named ``Map, Filter``. Nothing of this runs here; plans, task names and
``get_task_name()`` show it, because a script's logs and dashboards are to look the same on both
(recorded from PyFlink 2.3.0: ``tests/parity/plans.json``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wiesel.core.operator_specs import AsyncWaitSpec
from wiesel.graph.stream_graph import StreamEdge, StreamGraph, StreamNode
from wiesel.graph.transformations import ChainingStrategy, ShipStrategy

_KEY_BY = "_stream_key_by_map_operator"
_PARTITION_CUSTOM = "_partition_custom_map_operator"
_VALUES = "_keyed_stream_values_operator"
#: Name of the map that PyFlink gives to no name of its own.
_MAP = "Map"


@dataclass(slots=True, eq=False)
class PlanNode:
    """One operator of PyFlink's.

    Args:
        name: as in the plan.
        parallelism: number of its subtasks.
        max_parallelism: number of its key groups; operators melt only if they have the same.
        slot_sharing_group: only operators of one group are chained.
        own_group: the group that the user gave it; operators melt only if they have the same.
        pact: its kind in the plan.
        python: whether Python runs in it, so that it may melt with its neighbours.
        chaining: whether it may be chained.
        descriptions: the user's own, of all operators that it is made of.
        inputs: the operators that it reads and how their records are shipped.
        chainable: whether it has one input, and not one by key.
        stands_for: ids of the stream graph's operators in it.
    """

    name: str
    parallelism: int
    max_parallelism: int
    slot_sharing_group: str
    own_group: str | None
    pact: str = "Operator"
    python: bool = True
    chaining: ChainingStrategy = ChainingStrategy.ALWAYS
    descriptions: list[str] = field(default_factory=list)
    inputs: list[tuple[PlanNode, ShipStrategy]] = field(default_factory=list)
    chainable: bool = True
    stands_for: list[int] = field(default_factory=list)

    @property
    def contents(self) -> str:
        """The text that the plan shows in the operator."""
        return ", ".join(self.descriptions) or self.name


def plan_nodes(graph: StreamGraph) -> list[PlanNode]:
    """Return PyFlink's operators for a program, each behind its inputs."""
    return _melt(_Translation(graph).nodes)


def task_names(graph: StreamGraph) -> dict[int, str]:
    """Return for each operator of the stream graph the name of the task that Flink runs it in."""
    nodes = plan_nodes(graph)
    readers = _readers(nodes)
    names: dict[int, str] = {}
    for node in nodes:
        if len(node.inputs) == 1 and _may_chain(*node.inputs[0], node, graph.chaining_enabled):
            continue  # no head: its name comes with its head's
        members, name = _chain(node, readers, graph.chaining_enabled)
        names.update((operator, name) for member in members for operator in member.stands_for)
    return names


def _chain(head: PlanNode, readers: dict[PlanNode, list[PlanNode]], enabled: bool) -> tuple[list[PlanNode], str]:
    members, followers = [head], []
    for reader in readers[head]:
        if len(reader.inputs) == 1 and _may_chain(head, reader.inputs[0][1], reader, enabled):
            more, name = _chain(reader, readers, enabled)
            members += more
            followers.append(name)
    if not followers:
        return members, head.name
    return members, f"{head.name} -> " + (followers[0] if len(followers) == 1 else f"({', '.join(followers)})")


def _may_chain(source: PlanNode, strategy: ShipStrategy, target: PlanNode, enabled: bool = True) -> bool:
    return (
        enabled
        and strategy is ShipStrategy.FORWARD
        and target.chainable
        and source.parallelism == target.parallelism
        and source.slot_sharing_group == target.slot_sharing_group
        and source.chaining is not ChainingStrategy.NEVER
        and target.chaining is ChainingStrategy.ALWAYS
    )


def _readers(nodes: list[PlanNode]) -> dict[PlanNode, list[PlanNode]]:
    readers: dict[PlanNode, list[PlanNode]] = {node: [] for node in nodes}
    for node in nodes:
        for source, _ in node.inputs:
            readers[source].append(node)
    return readers


def _melt(nodes: list[PlanNode]) -> list[PlanNode]:
    """Make one of Python operators that follow each other, where the first has no other reader."""
    readers = _readers(nodes)
    kept: list[PlanNode] = []
    became: dict[PlanNode, PlanNode] = {}
    for node in nodes:
        node.inputs = [(became.get(source, source), strategy) for source, strategy in node.inputs]
        if len(node.inputs) == 1 and node.python:
            (source, strategy) = node.inputs[0]
            alike = (source.max_parallelism, source.own_group) == (node.max_parallelism, node.own_group)
            if source.python and alike and len(readers[source]) == 1 and _may_chain(source, strategy, node):
                source.name = f"{source.name}, {node.name}"
                source.descriptions += node.descriptions
                source.stands_for += node.stands_for
                readers[source] = readers[node]
                became[node] = source
                continue
        kept.append(node)
    return kept


class _Translation:
    """Builds the operators of a program, one for each that PyFlink would add."""

    def __init__(self, graph: StreamGraph) -> None:
        self.nodes: list[PlanNode] = []
        self._graph = graph
        #: The operator whose output is the output of an operator of the stream graph.
        self._ends: dict[int, PlanNode] = {}
        #: Operators that several readers share: one for each key_by(), side output and partition_custom().
        self._shared: dict[tuple[object, ...], PlanNode] = {}
        for node in graph.nodes:
            self._ends[node.node_id] = self._translate(node, [e for e in graph.edges if e.target_id == node.node_id])

    def _translate(self, node: StreamNode, edges: list[StreamEdge]) -> PlanNode:
        inputs = [self._input(node, edge, edges) for edge in edges]
        # The streams of a union that is keyed meet in one map already.
        inputs = [pair for i, pair in enumerate(inputs) if pair not in inputs[:i] or edges[i] in edges[:i]]
        if node.before is not None:
            first = self._own(node, node.before, self._graph.default_parallelism)
            first.inputs = [_reshipped(source, strategy, first.parallelism) for source, strategy in inputs]
            first.chainable = len(inputs) == 1
            inputs = [_shipped(first, node.parallelism)]
        own = self._own(node, node.name, node.parallelism)
        own.pact, own.python, own.chaining, own.stands_for = node.pact, node.python, node.chaining, [node.node_id]
        own.descriptions = [node.description] if node.description else []
        own.inputs, own.chainable = inputs, len(inputs) == 1 and not node.keyed
        if node.behind is None:
            return own
        last = self._own(node, node.behind, node.parallelism)
        last.python, last.inputs = False, [(own, ShipStrategy.FORWARD)]
        return last

    def _input(self, node: StreamNode, edge: StreamEdge, edges: list[StreamEdge]) -> tuple[PlanNode, ShipStrategy]:
        strategy = edge.partitioning.strategy
        if strategy is ShipStrategy.CUSTOM:
            return _shipped(self._values(_PARTITION_CUSTOM, edge, edges), node.parallelism)
        if strategy is ShipStrategy.HASH:
            if node.keyed or isinstance(node.spec, AsyncWaitSpec):
                return self._prepared(_KEY_BY, edge, edges), strategy
            return _shipped(self._values(_KEY_BY, edge, edges), node.parallelism)
        source = self._output(edge)
        return _shipped(source, node.parallelism) if edge.side_output is not None else (source, strategy)

    def _output(self, edge: StreamEdge) -> PlanNode:
        """Return the operator whose output an edge carries; a side output passes through a map of its own."""
        source = self._ends[edge.source_id]
        if edge.side_output is None:
            return source
        shared = ("side", edge.source_id, edge.side_output)
        if shared not in self._shared:
            side = self._shared[shared] = self._behind(source, _MAP, self._graph.default_parallelism)
            side.inputs = [_shipped(source, side.parallelism)]
        return self._shared[shared]

    def _prepared(self, name: str, edge: StreamEdge, edges: list[StreamEdge]) -> PlanNode:
        """Return the map that prepares records for an exchange; it is where its input is, whatever reads it."""
        shared = (name, id(edge.partitioning))
        if shared not in self._shared:
            sources = [self._output(other) for other in edges if other.partitioning is edge.partitioning]
            node = self._shared[shared] = self._behind(sources[0], name, sources[0].parallelism)
            node.own_group = sources[0].own_group
            node.inputs = [_shipped(source, node.parallelism) for source in sources]
            node.chainable = len(sources) == 1
        return self._shared[shared]

    def _values(self, name: str, edge: StreamEdge, edges: list[StreamEdge]) -> PlanNode:
        """Return the map that has the records back behind an exchange, for readers that want no keys."""
        shared = (_VALUES, id(edge.partitioning))
        if shared not in self._shared:
            source = self._prepared(name, edge, edges)
            values = self._shared[shared] = self._behind(source, _VALUES, self._graph.default_parallelism)
            values.inputs = [(source, edge.partitioning.strategy)]
        return self._shared[shared]

    def _own(self, node: StreamNode, name: str, parallelism: int) -> PlanNode:
        made = PlanNode(name, parallelism, node.max_parallelism, node.slot_sharing_group, node.own_group)
        self.nodes.append(made)
        return made

    def _behind(self, source: PlanNode, name: str, parallelism: int) -> PlanNode:
        made = PlanNode(name, parallelism, source.max_parallelism, source.slot_sharing_group, None)
        self.nodes.append(made)
        return made


def _shipped(source: PlanNode, parallelism: int) -> tuple[PlanNode, ShipStrategy]:
    return source, ShipStrategy.FORWARD if source.parallelism == parallelism else ShipStrategy.REBALANCE


def _reshipped(source: PlanNode, strategy: ShipStrategy, parallelism: int) -> tuple[PlanNode, ShipStrategy]:
    chosen_by_flink = strategy in (ShipStrategy.FORWARD, ShipStrategy.REBALANCE)
    return _shipped(source, parallelism) if chosen_by_flink else (source, strategy)

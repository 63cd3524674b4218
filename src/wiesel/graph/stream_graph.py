"""The stream graph: transformations with everything decided that the program left open.

Parallelism, ship strategies and stable operator ids are settled here; nothing is chained yet.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wiesel.core.errors import ConfigurationError
from wiesel.core.key_groups import default_max_parallelism
from wiesel.core.operator_specs import OperatorSpec, SinkSpec, SourceSpec
from wiesel.core.types import TypeInformation
from wiesel.graph.transformations import (
    ChainingStrategy,
    Partitioning,
    ShipStrategy,
    Transformation,
    Upstream,
)

_DEFAULT_GROUP: Final = "default"


@dataclass(frozen=True, slots=True)
class StreamEdge:
    """One arrow of the stream graph."""

    source_id: int
    target_id: int
    input_index: int
    partitioning: Partitioning
    side_output: str | None
    type_info: TypeInformation | None


@dataclass(frozen=True, slots=True)
class StreamNode:
    """One operator with nothing left open; ``uid`` is its identity in checkpoints."""

    node_id: int
    name: str
    uid: str
    spec: OperatorSpec
    parallelism: int
    max_parallelism: int
    chaining: ChainingStrategy
    slot_sharing_group: str
    own_group: str | None
    keyed: bool
    number_of_inputs: int
    output_type: TypeInformation | None
    pact: str
    description: str | None
    python: bool
    before: str | None
    behind: str | None


@dataclass(frozen=True, slots=True)
class StreamGraph:
    """All operators and arrows of a job, in topological order."""

    job_name: str
    nodes: tuple[StreamNode, ...]
    edges: tuple[StreamEdge, ...]
    chaining_enabled: bool = True
    default_parallelism: int = 1


def build_stream_graph(
    transformations: Sequence[Transformation],
    job_name: str,
    default_parallelism: int,
    default_max_parallelism_: int | None = None,
    chaining_enabled: bool = True,
    generate_uids: bool = True,
) -> StreamGraph:
    """Return the stream graph of a program.

    Args:
        transformations: in the order they were added, which is a topological order.
        job_name: shown to the user.
        default_parallelism: for operators without one of their own.
        default_max_parallelism_: for operators without one of their own; None is Flink's rule.
        chaining_enabled: ``pipeline.operator-chaining.enabled``.
        generate_uids: ``pipeline.auto-generate-uids``: whether operators may be without one of the script's.

    Raises:
        ConfigurationError: no operators, two equal uids, one missing, or a parallelism above its maximum.
    """
    # A job without a sink is one all the same: its functions may have effects of their own.
    if not any(t.inputs for t in transformations):
        raise ConfigurationError(
            "No operators defined in streaming topology. Cannot execute. "
            "Add one to a stream, for example .print() or .sink_to(...), before execute()."
        )
    if not generate_uids:
        _require_uids(transformations)
    uids = _uids(transformations)
    nodes: dict[int, StreamNode] = {}
    edges: list[StreamEdge] = []
    groups: dict[int, str] = {}
    for t in transformations:
        parallelism = t.parallelism or default_parallelism
        max_parallelism = t.max_parallelism or default_max_parallelism_ or default_max_parallelism(parallelism)
        if parallelism > max_parallelism:
            raise ConfigurationError(
                f"{t.name!r} has parallelism {parallelism}, above its maximum parallelism {max_parallelism}; "
                f"raise the maximum with set_max_parallelism() or lower the parallelism."
            )
        nodes[t.transformation_id] = StreamNode(
            node_id=t.transformation_id,
            name=t.name,
            uid=uids[t.transformation_id],
            spec=t.spec,
            parallelism=parallelism,
            max_parallelism=max_parallelism,
            chaining=t.chaining,
            slot_sharing_group=groups.setdefault(t.transformation_id, t.slot_sharing_group or _inherited(t, groups)),
            own_group=t.slot_sharing_group,
            keyed=t.keyed,
            number_of_inputs=len(t.inputs),
            output_type=t.output_type,
            pact=t.pact,
            description=t.description,
            python=t.python and not isinstance(t.spec, SourceSpec | SinkSpec),
            before=t.before,
            behind=t.behind,
        )
        for index, upstreams in enumerate(t.inputs):
            for upstream in upstreams:
                edges.append(_edge(upstream, nodes, t.transformation_id, index))
    return StreamGraph(job_name, tuple(nodes.values()), tuple(edges), chaining_enabled, default_parallelism)


def _inherited(transformation: Transformation, groups: Mapping[int, str]) -> str:
    """Return the slot sharing group of the inputs if they agree on one, as Flink does."""
    found = {groups[upstream.transformation_id] for upstreams in transformation.inputs for upstream in upstreams}
    return found.pop() if len(found) == 1 else _DEFAULT_GROUP


def _edge(upstream: Upstream, nodes: Mapping[int, StreamNode], target_id: int, index: int) -> StreamEdge:
    source, target = nodes[upstream.transformation_id], nodes[target_id]
    partitioning = upstream.partitioning
    if partitioning.strategy is ShipStrategy.DEFAULT:
        same = source.parallelism == target.parallelism
        partitioning = Partitioning(ShipStrategy.FORWARD if same else ShipStrategy.REBALANCE)
    elif partitioning.strategy is ShipStrategy.FORWARD and source.parallelism != target.parallelism:
        raise ConfigurationError(
            f"Forward partitioning does not allow change of parallelism: {source.name!r} has {source.parallelism}, "
            f"{target.name!r} has {target.parallelism}. Use rebalance() or set both alike."
        )
    type_info = source.output_type if upstream.side_output is None else upstream.side_type
    return StreamEdge(upstream.transformation_id, target_id, index, partitioning, upstream.side_output, type_info)


def _require_uids(transformations: Sequence[Transformation]) -> None:
    for t in transformations:
        if not (t.uid or t.uid_hash):
            raise ConfigurationError(
                f"Auto generated UIDs have been disabled but no UID or hash has been assigned to operator {t.name!r}: "
                f"call uid() on it."
            )


def _uids(transformations: Sequence[Transformation]) -> dict[int, str]:
    """Return each operator's identity: the user's, or a hash of its place in the graph (its kind and its inputs).

    A generated one changes when the graph before the operator does, as in Flink; ``uid()`` makes it last.
    """
    uids: dict[int, str] = {}
    seen: Counter[str] = Counter()
    for t in transformations:
        uid = t.uid_hash or t.uid
        if uid is None:
            inputs = [[(uids[u.transformation_id], u.side_output) for u in ups] for ups in t.inputs]
            kind = "source" if isinstance(t.spec, SourceSpec) else type(t.spec).__name__
            place = f"{kind}|{inputs}"
            uid = hashlib.sha256(f"{place}|{seen[place]}".encode()).hexdigest()[:32]
            seen[place] += 1
        uids[t.transformation_id] = uid
    for uid, count in Counter(uids.values()).items():
        if count > 1:
            raise ConfigurationError(f"Hash collision on user-specified ID {uid!r}: every uid must be used only once.")
    return uids

"""Builds the tasks of one attempt inside this process: channels, gates, writers, chains, restored state."""

from __future__ import annotations

import logging
import os
import random
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from wiesel.cluster.background import Background
from wiesel.cluster.batch import in_batches, sorts_inputs
from wiesel.cluster.options import JobOptions, local_path
from wiesel.cluster.working_state import working_state
from wiesel.core.contracts import Clock, KeyedStateBackend, SourceContext
from wiesel.core.isolation import gives_away
from wiesel.core.key_groups import key_group_function
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import MapSpec, SourceSpec, WindowSpec
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.core.types import Types
from wiesel.graph.job_graph import JobEdge, JobGraph, JobVertex
from wiesel.graph.transformations import ShipStrategy
from wiesel.runtime.aligned_source import AlignedSourceInput
from wiesel.runtime.chain import ChainEnvironment, OperatorChain, OperatorRestore
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.checkpoint.storage import CheckpointStorage
from wiesel.runtime.exchange.channel import LocalChannel, ReceivingEnd, SendingEnd
from wiesel.runtime.exchange.input_gate import InputGate
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.exchange.sorting_gate import SortingGate
from wiesel.runtime.reports import InputEnded, TaskFailed, TaskId, TaskReport, WatermarkReported
from wiesel.runtime.restore import operator_restores
from wiesel.runtime.source_input import SourceInput
from wiesel.runtime.task import Task
from wiesel.runtime.task_checkpoints import TaskCheckpoints
from wiesel.runtime.time_service import TimeService
from wiesel.runtime.watermarks import with_advance
from wiesel.state import create_keyed_backend

_log = logging.getLogger("wiesel.cluster")


class Exchange(Protocol):
    """Which subtasks live in this process, and how the others are reached.

    Channels are numbered alike in every process of the job.
    """

    def is_local(self, subtask: int) -> bool:
        """Whether the subtask of this number, of any vertex, lives here."""

    def outgoing(self, channel: int, receiver: int) -> SendingEnd:
        """Return the sending end of a channel to a subtask elsewhere."""

    def incoming(self, channel: int, sender: int) -> ReceivingEnd:
        """Return the receiving end of a channel from a subtask elsewhere."""


@dataclass(frozen=True, slots=True)
class CheckpointAccess:
    """What tasks need of the job directory.

    Args:
        storage: its files.
        lineage: the history the job is in.
    """

    storage: CheckpointStorage
    lineage: str


@dataclass(frozen=True, slots=True)
class DeploymentContext:
    """What tasks of an attempt need from the driver.

    Args:
        options: how the job is run.
        checkpoints: the job's directory, or None without one.
        clock: time.
        wake: from any thread, let the driver step tasks.
        report: what tasks tell the JobMaster; callable from any thread.
        background: I/O threads.
        metrics: the job's metric group.
        exchange: where subtasks are; None when all are here.
    """

    options: JobOptions
    checkpoints: CheckpointAccess | None
    clock: Clock
    wake: Callable[[], None]
    report: Callable[[TaskReport | WatermarkReported], None]
    background: Background
    metrics: TaskMetricGroup
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """The checkpoint that an attempt goes on from, and the directory it lies in."""

    manifest: CheckpointManifest
    path: Path


def deploy(graph: JobGraph, attempt: int, restore: Restore | None, context: DeploymentContext) -> dict[TaskId, Task]:
    """Create the tasks of an attempt that live here, downstream first; on an error all are closed again."""
    return _Deployment(graph, attempt, restore, context).build()


class _Deployment:
    def __init__(self, graph: JobGraph, attempt: int, restore: Restore | None, context: DeploymentContext) -> None:
        self._graph = graph
        self._attempt = attempt
        self._context = context
        self._vertices = {vertex.vertex_id: vertex for vertex in graph.vertices}
        self._restore = restore
        self._channel_count = 0
        # The ends that are in this process by edge and subtask, in the order of the subtasks at the other ends.
        self._outputs: dict[tuple[int, int], list[SendingEnd]] = {}
        self._inputs: dict[tuple[int, int], list[ReceivingEnd]] = {}
        for edge in graph.edges:
            self._connect(edge)

    def build(self) -> dict[TaskId, Task]:
        tasks: dict[TaskId, Task] = {}
        try:
            for vertex in reversed(self._graph.vertices):
                for subtask in filter(self._is_local, range(vertex.parallelism)):
                    tasks[TaskId(vertex.vertex_id, subtask)] = self._task(vertex, subtask)
        except BaseException:
            for task in tasks.values():
                task.close(suppress=True)
            raise
        return tasks

    # ------------------------------------------------------------------------------------------- channels

    def _connect(self, edge: JobEdge) -> None:
        senders = self._vertices[edge.source_vertex].parallelism
        receivers = self._vertices[edge.target_vertex].parallelism
        for sender in range(senders):
            for receiver in _receivers(edge.partitioning.strategy, sender, senders, receivers):
                output, input_ = self._channel(sender, receiver)
                if output is not None:
                    self._outputs.setdefault((id(edge), sender), []).append(output)
                if input_ is not None:
                    self._inputs.setdefault((id(edge), receiver), []).append(input_)

    def _channel(self, sender: int, receiver: int) -> tuple[SendingEnd | None, ReceivingEnd | None]:
        """Return the ends of a channel that are in this process."""
        self._channel_count += 1  # for every channel of the job, so that all processes number them alike
        sends, receives, exchange = self._is_local(sender), self._is_local(receiver), self._context.exchange
        if exchange is None or (sends and receives):
            channel = LocalChannel()
            return channel, channel
        return (
            exchange.outgoing(self._channel_count, receiver) if sends else None,
            exchange.incoming(self._channel_count, sender) if receives else None,
        )

    def _is_local(self, subtask: int) -> bool:
        return self._context.exchange is None or self._context.exchange.is_local(subtask)

    def _gate(self, vertex: JobVertex, subtask: int) -> InputGate | SortingGate:
        edges = self._graph.in_edges(vertex.vertex_id)
        gate = InputGate([(end, edge.input_index) for edge in edges for end in self._inputs[id(edge), subtask]])
        if not sorts_inputs(self._context.options.configuration):
            return gate
        return in_batches(gate, vertex.operators[0], self._context.options.configuration)

    def _writers(self, vertex: JobVertex, subtask: int) -> list[tuple[int, str | None, RecordWriter]]:
        writers = []
        for edge in self._graph.out_edges(vertex.vertex_id):
            channels = self._outputs[id(edge), subtask]
            target = self._vertices[edge.target_vertex]
            chance = random.Random(f"{self._attempt}/{vertex.vertex_id}/{subtask}")
            reuse = value_of(self._context.options.configuration, catalog.OBJECT_REUSE)
            given_away = _has_only_outlet(edge, vertex, self._graph) and _is_parser(vertex, edge.source_operator)
            writer = RecordWriter(edge, channels, target.max_parallelism, chance, reuse, given_away)
            writers.append((edge.source_operator, edge.side_output, writer))
        return writers

    # ---------------------------------------------------------------------------------------------- tasks

    def _task(self, vertex: JobVertex, subtask: int) -> Task:
        context, task_id = self._context, TaskId(vertex.vertex_id, subtask)
        in_edges = self._graph.in_edges(vertex.vertex_id)
        writers = self._writers(vertex, subtask)
        chain = OperatorChain(
            vertex,
            writers,
            self._environment(vertex, subtask, task_id),
            inputs=1 + max((edge.input_index for edge in in_edges), default=-1),
        )
        self._tell_unclaimed_state(vertex, subtask, chain)
        try:
            source = self._source(vertex, subtask)
        except BaseException:
            chain.close(suppress=True)
            raise
        checkpoints = context.checkpoints
        create_state_file = None if checkpoints is None else checkpoints.storage.create_state_file
        interval = value_of(context.options.configuration, catalog.AUTO_WATERMARK_INTERVAL)
        return Task(
            chain=chain,
            source=source,
            gate=None if source is not None else self._gate(vertex, subtask),
            writers=[writer for _, _, writer in writers],
            clock=context.clock,
            time=TimeService(chain, source, context.clock, interval, sorts_inputs(context.options.configuration)),
            checkpoints=TaskCheckpoints(
                self._attempt, task_id, chain, source, create_state_file, context.background.run, context.report
            ),
            input_ended=lambda: context.report(InputEnded(self._attempt, task_id)),
        )

    def _tell_unclaimed_state(self, vertex: JobVertex, subtask: int, chain: OperatorChain) -> None:
        """Say once a start which restored states the program has not asked for in ``open``."""
        head = vertex.operators[0]
        if self._attempt or subtask or chain.backend is None or isinstance(head.spec, WindowSpec):
            return  # functions of windows may ask for theirs when the first one fires
        for name in chain.backend.unclaimed():
            _log.warning(
                "Operator %r (uid %s) does not use state %r of the checkpoint; it is kept, and written to every "
                "checkpoint, in case a later program does.",
                head.name,
                head.uid,
                name,
            )

    def _environment(self, vertex: JobVertex, subtask: int, task_id: TaskId) -> ChainEnvironment:
        context = self._context
        checkpoints = context.checkpoints
        return ChainEnvironment(
            subtask=subtask,
            attempt=self._attempt,
            clock=context.clock,
            configuration=context.options.configuration,
            create_backend=partial(self._backend, context, subtask),
            job_directory=None if checkpoints is None else checkpoints.storage.directory,
            lineage="" if checkpoints is None else checkpoints.lineage,
            restore=self._restores(vertex, subtask),
            wake=context.wake,
            fail=lambda error: context.report(TaskFailed(self._attempt, task_id, error)),
            metrics=context.metrics.add_group(vertex.name).add_group(str(subtask)),
        )

    def _backend(self, context: DeploymentContext, subtask: int, vertex: JobVertex) -> KeyedStateBackend:
        edges = self._graph.in_edges(vertex.vertex_id)
        key_type = next((e.partitioning.key_type for e in edges if e.partitioning.key_type is not None), None)
        key_type = key_type or Types.PICKLED_BYTE_ARRAY()
        group_of = key_group_function(key_type, vertex.max_parallelism)
        head = vertex.operators[0]
        place = partial(self._working_place, f"{vertex.vertex_id}-{subtask}")
        operator = f"operator {head.name!r} (uid {head.uid})"
        return create_keyed_backend(context.options.configuration, group_of, context.clock, operator, key_type, place)

    def _working_place(self, name: str) -> Path:
        """Return a directory that is this attempt's alone, for state that is larger than memory."""
        configuration, checkpoints = self._context.options.configuration, self._context.checkpoints
        own = f"{name}-{self._attempt}-{os.getpid()}"
        if checkpoints is not None:
            return working_state(configuration, checkpoints.storage.directory, checkpoints.lineage) / own
        configured = optional_value_of(configuration, catalog.ROCKSDB_DIRECTORY)
        parent = Path(tempfile.gettempdir()) if configured is None else local_path(configured)
        parent.mkdir(parents=True, exist_ok=True)
        return parent / f"wiesel-state-{own}-{secrets.token_hex(8)}"

    def _restores(self, vertex: JobVertex, subtask: int) -> Mapping[str, OperatorRestore]:
        checkpoints, restore = self._context.checkpoints, self._restore
        if restore is None or checkpoints is None:
            return {}
        pieces = partial(checkpoints.storage.pieces, restore.path)
        files = partial(checkpoints.storage.kept_files, restore.path)
        return operator_restores(restore.manifest, vertex, subtask, pieces, files)

    def _source(self, vertex: JobVertex, subtask: int) -> SourceInput | None:
        node = vertex.operators[0]
        if not isinstance(node.spec, SourceSpec):
            return None
        context = SourceContext(
            operator_uid=node.uid,
            operator_name=node.name,
            subtask=subtask,
            parallelism=vertex.parallelism,
            configuration=self._context.options.configuration,
            wake=self._context.wake,
        )
        reader = node.spec.source.create_reader(context)
        clock = self._context.clock
        strategy = with_advance(node.spec.watermark_strategy, self._context.options.configuration)
        if strategy.alignment is None:
            return SourceInput(reader, strategy, clock)
        task_id, report = TaskId(vertex.vertex_id, subtask), self._context.report
        return AlignedSourceInput(
            reader,
            strategy,
            clock,
            strategy.alignment,
            lambda watermark: report(WatermarkReported(self._attempt, task_id, watermark)),
        )


def _has_only_outlet(edge: JobEdge, vertex: JobVertex, graph: JobGraph) -> bool:
    """Whether records of the edge's operator go nowhere else."""
    operator = edge.source_operator
    edges = [other for other in graph.out_edges(vertex.vertex_id) if other.source_operator == operator]
    return len(edges) + sum(link.source == operator for link in vertex.links) == 1


def _is_parser(vertex: JobVertex, operator: int) -> bool:
    spec = vertex.operators[operator].spec
    return isinstance(spec, MapSpec) and gives_away(spec.function)


def _receivers(strategy: ShipStrategy, sender: int, senders: int, receivers: int) -> Sequence[int]:
    """Return the subtasks a sender reaches: the same one (forward), the near ones (rescale), or all."""
    if strategy is ShipStrategy.FORWARD:
        return [sender]
    if strategy is ShipStrategy.RESCALE:
        if senders >= receivers:
            return [sender * receivers // senders]
        return [r for r in range(receivers) if r * senders // receivers == sender]
    return range(receivers)

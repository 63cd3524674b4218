"""Builds the tasks of one attempt inside this process: channels, gates, writers, chains, restored state."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from wiesel.cluster.background import Background
from wiesel.cluster.options import JobOptions
from wiesel.cluster.start import Start
from wiesel.core.contracts import Clock, KeyedStateBackend, SourceContext
from wiesel.core.key_groups import key_group_function
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import SourceSpec
from wiesel.core.options import catalog, value_of
from wiesel.core.types import Types
from wiesel.graph.job_graph import JobEdge, JobGraph, JobVertex
from wiesel.graph.transformations import ShipStrategy
from wiesel.runtime.chain import ChainEnvironment, OperatorChain, OperatorRestore
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.exchange.channel import LocalChannel
from wiesel.runtime.exchange.input_gate import InputGate
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.reports import InputEnded, TaskFailed, TaskId, TaskReport
from wiesel.runtime.restore import operator_restores
from wiesel.runtime.source_input import SourceInput
from wiesel.runtime.task import Task
from wiesel.runtime.task_checkpoints import TaskCheckpoints
from wiesel.runtime.time_service import TimeService
from wiesel.state import create_keyed_backend

#: Channels of each edge, by receiving and sending subtask.
Channels = dict[int, dict[tuple[int, int], LocalChannel]]


@dataclass(frozen=True, slots=True)
class DeploymentContext:
    """What tasks of an attempt need from the driver.

    Args:
        options: how the job is run.
        start: the job's directory, or None without checkpoints.
        clock: time.
        wake: from any thread, let the driver step tasks.
        report: what tasks tell the JobMaster; callable from any thread.
        background: I/O threads.
        metrics: the job's metric group.
    """

    options: JobOptions
    start: Start | None
    clock: Clock
    wake: Callable[[], None]
    report: Callable[[TaskReport], None]
    background: Background
    metrics: TaskMetricGroup


def deploy(
    graph: JobGraph, attempt: int, restore: CheckpointManifest | None, context: DeploymentContext
) -> dict[TaskId, Task]:
    """Create all tasks of an attempt, downstream first; on an error everything created is closed again."""
    return _Deployment(graph, attempt, restore, context).build()


class _Deployment:
    def __init__(
        self, graph: JobGraph, attempt: int, restore: CheckpointManifest | None, context: DeploymentContext
    ) -> None:
        self._graph = graph
        self._attempt = attempt
        self._context = context
        self._vertices = {vertex.vertex_id: vertex for vertex in graph.vertices}
        self._channels: Channels = {id(edge): self._edge_channels(edge) for edge in graph.edges}
        self._restore = restore

    def build(self) -> dict[TaskId, Task]:
        tasks: dict[TaskId, Task] = {}
        try:
            for vertex in reversed(self._graph.vertices):
                for subtask in range(vertex.parallelism):
                    tasks[TaskId(vertex.vertex_id, subtask)] = self._task(vertex, subtask)
        except BaseException:
            for task in tasks.values():
                task.close(suppress=True)
            raise
        return tasks

    # ------------------------------------------------------------------------------------------- channels

    def _edge_channels(self, edge: JobEdge) -> dict[tuple[int, int], LocalChannel]:
        senders = self._vertices[edge.source_vertex].parallelism
        receivers = self._vertices[edge.target_vertex].parallelism
        return {
            (receiver, sender): LocalChannel()
            for sender in range(senders)
            for receiver in _receivers(edge.partitioning.strategy, sender, senders, receivers)
        }

    def _gate(self, vertex: JobVertex, subtask: int) -> InputGate:
        channels = []
        for edge in self._graph.in_edges(vertex.vertex_id):
            for (receiver, _), channel in sorted(self._channels[id(edge)].items(), key=lambda item: item[0]):
                if receiver == subtask:
                    channels.append((channel, edge.input_index))
        return InputGate(channels)

    def _writers(self, vertex: JobVertex, subtask: int) -> list[tuple[int, str | None, RecordWriter]]:
        writers = []
        for edge in self._graph.out_edges(vertex.vertex_id):
            channels = [c for (_, sender), c in sorted(self._channels[id(edge)].items()) if sender == subtask]
            target = self._vertices[edge.target_vertex]
            chance = random.Random(f"{self._attempt}/{vertex.vertex_id}/{subtask}")
            reuse = value_of(self._context.options.configuration, catalog.OBJECT_REUSE)
            writer = RecordWriter(edge, channels, target.max_parallelism, chance, reuse)
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
        try:
            source = self._source(vertex, subtask)
        except BaseException:
            chain.close(suppress=True)
            raise
        storage = None if context.start is None else context.start.storage
        create_state_file = None if storage is None else storage.create_state_file
        interval = value_of(context.options.configuration, catalog.AUTO_WATERMARK_INTERVAL)
        return Task(
            chain=chain,
            source=source,
            gate=None if source is not None else self._gate(vertex, subtask),
            writers=[writer for _, _, writer in writers],
            clock=context.clock,
            time=TimeService(chain, source, context.clock, interval),
            checkpoints=TaskCheckpoints(
                self._attempt, task_id, chain, source, create_state_file, context.background.run, context.report
            ),
            input_ended=lambda: context.report(InputEnded(self._attempt, task_id)),
        )

    def _environment(self, vertex: JobVertex, subtask: int, task_id: TaskId) -> ChainEnvironment:
        context = self._context
        start = context.start
        return ChainEnvironment(
            subtask=subtask,
            attempt=self._attempt,
            clock=context.clock,
            configuration=context.options.configuration,
            create_backend=partial(self._backend, context),
            job_directory=None if start is None else start.directory.path,
            lineage="" if start is None else start.lineage.lineage_id,
            restore=self._restores(vertex, subtask),
            wake=context.wake,
            fail=lambda error: context.report(TaskFailed(self._attempt, task_id, error)),
            metrics=context.metrics.add_group(vertex.name).add_group(str(subtask)),
        )

    def _backend(self, context: DeploymentContext, vertex: JobVertex) -> KeyedStateBackend:
        edges = self._graph.in_edges(vertex.vertex_id)
        key_type = next((e.partitioning.key_type for e in edges if e.partitioning.key_type is not None), None)
        group_of = key_group_function(key_type or Types.PICKLED_BYTE_ARRAY(), vertex.max_parallelism)
        return create_keyed_backend(value_of(context.options.configuration, catalog.STATE_BACKEND), group_of)

    def _restores(self, vertex: JobVertex, subtask: int) -> Mapping[str, OperatorRestore]:
        start = self._context.start
        if self._restore is None or start is None:
            return {}
        at = start.restore_path if self._restore is start.restore else None
        path = at or start.storage.path_of(self._restore.checkpoint_id)
        return operator_restores(self._restore, vertex, subtask, partial(start.storage.pieces, path))

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
        return SourceInput(reader, node.spec.watermark_strategy, self._context.clock)


def _receivers(strategy: ShipStrategy, sender: int, senders: int, receivers: int) -> Sequence[int]:
    """Return the subtasks a sender reaches: the same one (forward), the near ones (rescale), or all."""
    if strategy is ShipStrategy.FORWARD:
        return [sender]
    if strategy is ShipStrategy.RESCALE:
        if senders >= receivers:
            return [sender * receivers // senders]
        return [r for r in range(receivers) if r * senders // receivers == sender]
    return range(receivers)

"""Binds the operators of one vertex into a chain of plain calls, and carries control through it in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Clock, Committable, Emit, Json, KeyedStateBackend
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import JobExecutionError
from wiesel.core.key_groups import key_group_range
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import AsyncWaitSpec, SinkSpec, SourceSpec
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.graph.job_graph import JobVertex
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.failures import describe
from wiesel.runtime.fork import own_copy
from wiesel.runtime.held_back import InputTime
from wiesel.runtime.inlining import Step, Target, emit_function
from wiesel.runtime.operators import Operator, OperatorContext, create_operator
from wiesel.runtime.operators.contexts import TaskRuntimeContext
from wiesel.runtime.operators.sink import SinkOperator
from wiesel.runtime.operators.timestamps import TimestampsOperator

if TYPE_CHECKING:
    from wiesel.runtime.operators.async_wait import AsyncWaitOperator


@dataclass(frozen=True, slots=True)
class KeyedRestore:
    """One subtask's keyed snapshot.

    Args:
        pieces: returns an iterator over its pieces.
        files: the state backend's own files, by their names in it.
    """

    pieces: Callable[[], Iterable[bytes]]
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatorRestore:
    """What a checkpoint holds for one operator, ready for one subtask.

    Args:
        states: non-keyed states of the instances this subtask follows.
        keyed: their keyed snapshots.
        rescaled: whether keys of other subtasks are among them and must be left out.
    """

    states: Sequence[Json]
    keyed: Sequence[KeyedRestore]
    rescaled: bool


@dataclass(frozen=True, slots=True)
class ChainEnvironment:
    """What a chain needs from outside.

    Args:
        subtask: index of the parallel instance.
        attempt: number of the attempt.
        clock: time.
        configuration: the job's configuration.
        create_backend: returns an empty keyed backend for a vertex's operator, given its key type position.
        job_directory: where sinks keep files that belong to checkpoints.
        lineage: the unbroken history the job is in.
        restore: what a checkpoint holds, by operator uid.
        wake: ask for the task to be stepped.
        fail: fail the task from any thread.
        metrics: the task's metric group.
    """

    subtask: int
    attempt: int
    clock: Clock
    configuration: Configuration
    create_backend: Callable[[JobVertex], KeyedStateBackend]
    job_directory: Path | None
    lineage: str
    restore: Mapping[str, OperatorRestore]
    wake: Callable[[], None]
    fail: Callable[[BaseException], None]
    metrics: TaskMetricGroup


class OperatorChain:
    """The operators of one subtask of one vertex, opened and bound.

    Args:
        vertex: operators and the links between them.
        writers: outgoing edges as (operator index, side output or None, writer).
        environment: see ``ChainEnvironment``.
        inputs: number of logical inputs of the head (0 for a source).
    """

    def __init__(
        self,
        vertex: JobVertex,
        writers: Sequence[tuple[int, str | None, RecordWriter]],
        environment: ChainEnvironment,
        inputs: int,
    ) -> None:
        self.vertex = vertex
        self.operators: dict[int, Operator] = {}
        self.operator_of: dict[int, str] = {}
        self.backend: KeyedStateBackend | None = None
        #: Downstream callables of a source's side outputs, by tag.
        self.source_sides: Mapping[str, Emit] = {}
        self.late_records_dropped = 0
        self.asynchronous: list[AsyncWaitOperator] = []
        self._environment = environment
        self._writers = writers
        self._targets: dict[int, list[int]] = {}
        for link in vertex.links:
            self._targets.setdefault(link.source, []).append(link.target)
        self._entries: dict[int, Target] = {}
        self._kept: list[Emit] = []
        try:
            for index in reversed(range(len(vertex.operators))):
                try:
                    self._build(index)
                except Exception as error:
                    raise self._described(error, index) from error
            for index, _, writer in writers:
                try:
                    writer.open(self._runtime_context(index, None))
                except Exception as error:
                    raise self._described(error, index) from error
            self.head = self.operators.get(0)
            #: Where the records of each input go; those of a source at once to what comes after it.
            self.inputs: list[Sequence[Target]] = (
                [[self._enter(0, i)] for i in range(inputs)] if self.head is not None else [self._outputs(0, None)]
            )
        except BaseException:
            self.close(suppress=True)
            raise

    # ------------------------------------------------------------------------------------------------ binding

    def _build(self, index: int) -> None:
        node = self.vertex.operators[index]
        sides = {tag: emit_function(self._outputs(index, tag), node.name) for tag in self._side_outputs(index)}
        if isinstance(node.spec, SourceSpec):
            self.source_sides = sides
            return
        out = emit_function(self._outputs(index, None), node.name)
        created = create_operator(node.spec)
        backend = self._environment.create_backend(self.vertex) if node.keyed else None
        if node.keyed:
            self.backend = backend
        if isinstance(created, SinkOperator):
            created.job_directory = self._environment.job_directory
            created.lineage = self._environment.lineage
        if isinstance(node.spec, AsyncWaitSpec):
            waiting: AsyncWaitOperator = created  # type: ignore[assignment]
            waiting.emit_watermark = partial(self.emit_watermark, index=index)
            self.asynchronous.append(waiting)
        created.setup(self._operator_context(index, backend, sides), out)
        self.operators[index] = created
        self.operator_of[id(created)] = self.operator_of[id(out)] = node.name
        self._restore(node.uid, created, backend)
        created.open()
        if isinstance(created, SinkOperator):
            self.operator_of[id(created.writer)] = node.name
        if index > 0:
            self._entries[index] = self._enter(index, 0)

    def _enter(self, index: int, input_index: int) -> Target:
        operator, name = self.operators[index], self.vertex.operators[index].name
        inline = operator.inline(input_index)
        if inline is not None:
            return Step(name, inline, self._outputs(index, None))
        emit = operator.bind(input_index)
        for cell in getattr(emit, "__closure__", None) or ():
            # What the closure calls (the user's function) tells in a traceback whose frame it is.
            if callable(cell.cell_contents):
                self.operator_of.setdefault(id(cell.cell_contents), name)
        self._kept.append(emit)  # an id means something only while its object lives
        return emit

    def _described(self, error: Exception, index: int) -> JobExecutionError:
        """Return an error of building or opening an operator, which is named in it."""
        return describe(
            error,
            task_name=self.vertex.operators[index].name,
            subtask=self._environment.subtask,
            parallelism=self.vertex.parallelism,
            operator_of={},
            locate=lambda: None,
        )

    def _outputs(self, index: int, side: str | None) -> list[Target]:
        node = self.vertex.operators[index]
        links = [link for link in self.vertex.links if link.source == index and link.side_output == side]
        writers = [Step(node.name, w.inline, ()) for i, tag, w in self._writers if i == index and tag == side]
        readers = [self._entries[link.target] for link in links]
        from_source = isinstance(node.spec, SourceSpec)
        if len(links) + len(writers) > 1 or (self._side_outputs(index) and not from_source):
            reuse = value_of(self._environment.configuration, catalog.OBJECT_REUSE)
            for place, link in enumerate(links):
                if not isinstance(self.vertex.operators[link.target].spec, SinkSpec):
                    declared = None if from_source else link.type_info
                    readers[place] = own_copy(node.name, readers[place], declared, reuse)
        return [*readers, *writers]

    def _side_outputs(self, index: int) -> set[str]:
        tags = {k.side_output for k in self.vertex.links if k.source == index}
        tags |= {tag for i, tag, _ in self._writers if i == index}
        return {tag for tag in tags if tag is not None}

    def _operator_context(
        self, index: int, backend: KeyedStateBackend | None, sides: Mapping[str, Emit]
    ) -> OperatorContext:
        node, env, vertex = self.vertex.operators[index], self._environment, self.vertex
        return OperatorContext(
            name=node.name,
            uid=node.uid,
            subtask=env.subtask,
            parallelism=vertex.parallelism,
            max_parallelism=vertex.max_parallelism,
            attempt=env.attempt,
            clock=env.clock,
            configuration=env.configuration,
            runtime_context=self._runtime_context(index, backend),
            keyed_backend=backend,
            side_outputs=sides,
            wake=env.wake,
            fail=env.fail,
            late_dropped=self._count_late,
        )

    def _runtime_context(self, index: int, backend: KeyedStateBackend | None) -> TaskRuntimeContext:
        env, vertex = self._environment, self.vertex
        return TaskRuntimeContext(
            task_name=vertex.name,
            subtask=env.subtask,
            parallelism=vertex.parallelism,
            max_parallelism=vertex.max_parallelism,
            attempt=env.attempt,
            job_parameters=optional_value_of(env.configuration, catalog.GLOBAL_JOB_PARAMETERS) or {},
            metrics=env.metrics.add_group(vertex.operators[index].name),
            backend=backend,
        )

    def _count_late(self, count: int) -> None:
        self.late_records_dropped += count

    def _restore(self, uid: str, operator: Operator, backend: KeyedStateBackend | None) -> None:
        restore = self._environment.restore.get(uid)
        if restore is None:
            return
        operator.restore_state(restore.states)
        if backend is not None:
            groups = None
            if restore.rescaled:
                groups = key_group_range(
                    self._environment.subtask, self.vertex.max_parallelism, self.vertex.parallelism
                )
            for keyed in restore.keyed:
                backend.restore(keyed.pieces(), groups, keyed.files)

    # ------------------------------------------------------------------------------------------------ control

    @property
    def metrics(self) -> TaskMetricGroup:
        """The group in which the chain's functions register metrics."""
        return self._environment.metrics

    @property
    def makes_watermarks(self) -> bool:
        """Whether an operator of the chain makes watermarks of its own."""
        return any(isinstance(operator, TimestampsOperator) for operator in self.operators.values())

    def emit_head_watermark(self, watermark: int) -> None:
        """Carry on a watermark of the task's input, unless the head makes its own or holds it back."""
        if self.head is None or self.head.passes_watermark(watermark):
            self.emit_watermark(watermark)

    def emit_head_status(self, idle: bool) -> None:
        """Carry on an idle status of the task's input, unless the head has its own."""
        if not isinstance(self.head, TimestampsOperator):
            self.emit_status(idle)

    def emit_watermark(self, watermark: int, index: int = 0) -> None:
        """Carry a watermark from operator ``index`` (which has seen it) down the chain and out of it."""
        for target in self._targets.get(index, ()):
            operator = self.operators[target]
            operator.on_watermark(watermark)
            if operator.passes_watermark(watermark):
                self.emit_watermark(watermark, target)
        self._each_writer(index, lambda writer: writer.broadcast_watermark(watermark))

    def emit_status(self, idle: bool, index: int = 0) -> None:
        """Carry an idle status down the chain; an operator that makes watermarks has a status of its own."""
        for target in self._targets.get(index, ()):
            if not isinstance(self.operators[target], TimestampsOperator):
                self.emit_status(idle, target)
        self._each_writer(index, lambda writer: writer.broadcast_status(idle))

    def _each_writer(self, index: int, action: Callable[[RecordWriter], None]) -> None:
        for i, _, writer in self._writers:
            if i == index:
                action(writer)

    def input_times(self, subtask: int) -> list[InputTime]:
        """Return the event time of each operator that makes watermarks, named by it and the subtask."""
        return [
            operator.generator.input_time(f"{self.vertex.operators[index].name} ({subtask + 1})")
            for index, operator in self.operators.items()
            if isinstance(operator, TimestampsOperator)
        ]

    def periodic_watermarks(self) -> bool:
        """Let operators that make watermarks emit what is due, every watermark interval; return whether any did."""
        emitted = False
        for index, operator in self.operators.items():
            if isinstance(operator, TimestampsOperator):
                watermark, idle = operator.next_watermark()
                emitted = emitted or watermark is not None or idle is not None
                if idle is not None:
                    self.emit_status(idle, index)
                if watermark is not None:
                    self.emit_watermark(watermark, index)
        return emitted

    def emit_completed(self) -> bool:
        """Emit what asynchronous operators have completed; return whether there was anything."""
        worked = False
        for operator in self.asynchronous:
            worked = operator.emit_completed() or worked
        return worked

    def is_available(self) -> bool:
        """Whether every asynchronous operator has room for a record."""
        return all(operator.is_available() for operator in self.asynchronous)

    def is_idle(self) -> bool:
        """Whether no asynchronous operator waits for anything."""
        return all(operator.is_idle() for operator in self.asynchronous)

    def finish(self) -> None:
        """Tell every operator, upstream first, that no more records come."""
        for index in sorted(self.operators):
            self.operators[index].finish()

    def sinks(self) -> list[tuple[str, SinkOperator]]:
        """Return the sinks of the chain with their uids."""
        found = []
        for index, operator in self.operators.items():
            if isinstance(operator, SinkOperator):
                found.append((self.vertex.operators[index].uid, operator))
        return found

    def snapshot_operators(self, checkpoint_id: int) -> dict[str, tuple[Json | None, Sequence[Committable]]]:
        """Return each operator's non-keyed state and what is to be committed, by uid."""
        result: dict[str, tuple[Json | None, Sequence[Committable]]] = {}
        for index, operator in self.operators.items():
            committables: Sequence[Committable] = ()
            if isinstance(operator, SinkOperator):
                committables = operator.prepare_commit(checkpoint_id)
            result[self.vertex.operators[index].uid] = (operator.snapshot_state(), committables)
        return result

    def current_watermark(self) -> int:
        """Return the event time of the chain's last operator."""
        return self.operators[max(self.operators)].current_watermark if self.operators else MIN_TIMESTAMP

    def close(self, suppress: bool = False) -> None:
        """Close all operators, whatever one of them raises; the first error comes out unless ``suppress``."""
        first: BaseException | None = None
        for operator in self.operators.values():
            try:
                operator.close()
            except BaseException as error:
                first = first or error
        for _, _, writer in self._writers:
            try:
                writer.close()
            except BaseException as error:
                first = first or error
        if self.backend is not None:
            self.backend.close()
        if first is not None and not suppress:
            raise first

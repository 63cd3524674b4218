"""The operator harness: one function, or a small program, driven record by record with time in the test's hands.

Mirrors Flink's ``OneInputStreamOperatorTestHarness``, its keyed and two-input kinds, and
``ProcessFunctionTestHarnesses``. What runs are the tasks of a real job: the program is built, chained and deployed as
``execute()`` does it; only the clock, the disk and the two ends belong to the test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from types import TracebackType
from typing import Any, Final, Self

from wiesel.cluster.background import Background
from wiesel.cluster.deployment import CheckpointAccess, DeploymentContext, Restore, deploy
from wiesel.cluster.options import JobOptions
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError, JobExecutionError
from wiesel.core.functions import OutputTag
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.types import TypeInformation
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.datastream import DataStream, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink, Source
from wiesel.graph.job_graph import JobGraph, build_job_graph
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.failures import describe
from wiesel.runtime.reports import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    OperatorSnapshot,
    TaskFailed,
    TaskId,
)
from wiesel.runtime.restore import check_restorable, with_restored_max_parallelism
from wiesel.runtime.task import Task
from wiesel.testing.clock import ManualClock
from wiesel.testing.harness_ends import HandFedSource, KeepingSink, TimestampedValue
from wiesel.testing.memory_disk import MemoryDisk
from wiesel.testing.snapshot import Snapshot, storage_on

_INPUT: Final = "harness-input"


class OperatorHarness:
    """Runs ``build(*streams)`` with inputs, clock, watermarks and snapshots in the test's hands.

    A context manager: leaving it closes the functions. Exceptions of user functions come out as they were raised, with
    a note that names operator and record.

    Args:
        build: takes one stream for each input and returns the stream whose output is kept.
        inputs: the types of the inputs, None for untyped ones; two of them make a two-input harness.
        side_outputs: tags whose output is kept too.
        parallelism: of everything but the inputs.
        max_parallelism: number of key groups; None is Flink's default.
        processing_time: what the clock shows at first, in milliseconds.
        configuration: Flink's keys for the job, such as ``pipeline.auto-watermark-interval``.
        restore: a snapshot to begin from, of this program or of an earlier version of it, at any parallelism;
            ``Snapshot.of(path)`` is one of a real job.
        allow_non_restored_state: drop state of the snapshot whose operator is gone.

    Raises:
        RestoreRefusedError: the snapshot does not fit the program.
    """

    def __init__(
        self,
        build: Callable[..., DataStream],
        inputs: Sequence[TypeInformation | None] = (None,),
        *,
        side_outputs: Sequence[OutputTag] = (),
        parallelism: int = 1,
        max_parallelism: int | None = None,
        processing_time: int = 0,
        configuration: Mapping[str, str] | None = None,
        restore: Snapshot | None = None,
        allow_non_restored_state: bool = False,
    ) -> None:
        self._clock = ManualClock(processing_time)
        self._sources = [HandFedSource(f"{_INPUT}-{index}", kind) for index, kind in enumerate(inputs)]
        self._output = KeepingSink()
        self._sides = {tag.tag_id: KeepingSink() for tag in side_outputs}
        self._configuration = Configuration()
        for key, value in (configuration or {}).items():
            self._configuration.set_string(key, value)
        self._graph = self._job_graph(build, inputs, side_outputs, parallelism, max_parallelism)
        self._disk = MemoryDisk() if restore is None else deepcopy(restore.disk)
        self._storage = storage_on(self._disk)
        self._last_checkpoint = 0 if restore is None else restore.checkpoint_id
        self._reports: list[object] = []
        self._woken = threading.Event()
        self._tasks = self._deploy(self._restored(restore, allow_non_restored_state))

    # ------------------------------------------------------------------------------------------------ making it

    def _job_graph(
        self,
        build: Callable[..., DataStream],
        inputs: Sequence[TypeInformation | None],
        side_outputs: Sequence[OutputTag],
        parallelism: int,
        max_parallelism: int | None,
    ) -> JobGraph:
        environment = StreamExecutionEnvironment(self._configuration)
        environment.set_parallelism(parallelism)
        if max_parallelism is not None:
            environment.set_max_parallelism(max_parallelism)
        streams = [
            environment.from_source(Source(source), WatermarkStrategy.no_watermarks(), f"Input {number}", type_info)
            .uid(f"{_INPUT}-{number}")
            .set_parallelism(1)
            for number, (source, type_info) in enumerate(zip(self._sources, inputs, strict=True))
        ]
        result = build(*streams)
        if not isinstance(result, DataStream):
            raise TypeError(f"build() must return the stream whose output is kept, and returned {result!r}.")
        for tag in side_outputs:
            result.get_side_output(tag).sink_to(Sink(self._sides[tag.tag_id])).uid(f"harness-side-{tag.tag_id}")
        result.sink_to(Sink(self._output)).uid("harness-output")
        return build_job_graph(environment._stream_graph("harness"))

    def _restored(self, snapshot: Snapshot | None, allow_non_restored_state: bool) -> Restore | None:
        if snapshot is None:
            return None
        path = self._storage.path_of(snapshot.checkpoint_id)
        manifest = self._storage.load(path)
        self._graph = with_restored_max_parallelism(manifest, self._graph)
        check_restorable(manifest, self._graph, allow_non_restored_state)
        return Restore(manifest, path)

    def _deploy(self, restore: Restore | None) -> dict[TaskId, Task]:
        context = DeploymentContext(
            options=JobOptions("harness", self._configuration),
            checkpoints=CheckpointAccess(self._storage, "harness"),
            clock=self._clock,
            wake=self._woken.set,
            report=self._reports.append,
            background=_AtOnce(),
            metrics=TaskMetricGroup(),
        )
        try:
            return deploy(self._graph, 0, restore, context)
        except JobExecutionError as error:
            if error.__cause__ is None:
                raise
            error.__cause__.add_note(str(error))
            raise error.__cause__ from None

    # ------------------------------------------------------------------------------------------------- driving

    def process_element(self, value: Any, timestamp: int | None = None, *, input: int = 0) -> None:
        """Process one record and everything that follows from it.

        Args:
            value: the record.
            timestamp: its event time in milliseconds; None for none.
            input: index of the input that it comes from.
        """
        self.process_elements([(value, timestamp)], input=input)

    def process_elements(self, elements: Sequence[tuple[Any, int | None]], *, input: int = 0) -> None:
        """Process several records, as pairs of value and timestamp, in one batch.

        Values of a typed input may be what ``from_collection`` takes: tuples and dicts for rows.
        """
        source = self._source(input)
        if source.ended:
            raise ConfigurationError(f"Input {input} has ended; no record comes any more.")
        source.put(elements)
        self._settle()

    def process_watermark(self, timestamp: int, *, input: int | None = None) -> None:
        """Let event time reach ``timestamp`` on one input, or on all of them."""
        for task in self._source_tasks(input):
            task.time.emit_source_watermark(timestamp)
        self._settle()

    def process_watermark_status(self, idle: bool, *, input: int = 0) -> None:
        """Let an input become idle, so that it no longer holds event time back, or active again."""
        for task in self._source_tasks(input):
            task.chain.emit_status(idle)
        self._settle()

    def set_processing_time(self, timestamp: int) -> None:
        """Turn the clock to ``timestamp``, in milliseconds.

        As in a running job a timer is due when its millisecond is over: one for 1000 fires at 1001.
        """
        self._clock.set(timestamp)
        self._settle()

    def end_input(self, *, input: int | None = None) -> None:
        """End one input, or all: event time is over on it, and the end of the last one ends the functions' input."""
        for index in range(len(self._sources)) if input is None else (input,):
            self._source(index).ended = True
        self._settle()

    def wait_for_async(self, seconds: float = 10.0) -> None:
        """Wait, in real time, until every ``AsyncFunction`` has answered, and process the answers.

        Raises:
            TimeoutError: one of them takes longer than ``seconds``.
        """
        while not all(task.chain.is_idle() for task in self._tasks.values()):
            if not self._woken.wait(seconds):
                raise TimeoutError(f"An asynchronous function has not answered within {seconds} s.")
            self._woken.clear()
            self._settle()

    def _settle(self) -> None:
        worked = True
        while worked:
            worked = False
            for task in reversed(self._tasks.values()):  # upstream first: what one emits the next one takes
                worked = self._step(task) or worked
        for report in self._reports:
            if isinstance(report, TaskFailed | CheckpointDeclined):
                self._reports.clear()
                raise report.error

    def _step(self, task: Task) -> bool:
        try:
            return task.step()
        except Exception as error:
            vertex = task.chain.vertex
            described = describe(
                error,
                task_name=vertex.name,
                subtask=0,
                parallelism=vertex.parallelism,
                operator_of=task.chain.operator_of,
                locate=task.locate,
            )
            error.add_note(str(described))
            raise

    def _source(self, index: int) -> HandFedSource:
        if not 0 <= index < len(self._sources):
            raise ConfigurationError(f"There is no input {index}: this harness has {len(self._sources)}.")
        return self._sources[index]

    def _source_tasks(self, input: int | None) -> list[Task]:
        wanted = None if input is None else self._source(input)
        found = []
        for task in self._tasks.values():
            spec = task.chain.vertex.operators[0].spec
            if task.source is not None and (wanted is None or getattr(spec, "source", None) is wanted):
                found.append(task)
        return found

    # ----------------------------------------------------------------------------------------------- snapshots

    def snapshot(self) -> Snapshot:
        """Take a checkpoint through barriers, as a job does, and return it."""
        self._last_checkpoint += 1
        number = self._last_checkpoint
        self._reports.clear()
        self._storage.begin(number)
        for task in self._source_tasks(None):
            task.trigger_checkpoint(number, suspend=False)
        self._settle()
        self._storage.publish(CheckpointManifest(number, "harness", self._clock.now_ms(), self._acknowledged()))
        return Snapshot(number, self._disk)

    def _acknowledged(self) -> dict[str, OperatorManifest]:
        parts: dict[str, dict[int, OperatorSnapshot]] = {}
        for report in self._reports:
            if isinstance(report, CheckpointAcknowledged):
                for uid, part in report.operators.items():
                    parts.setdefault(uid, {})[report.task.subtask] = part
        return {
            operator.uid: OperatorManifest(
                operator.name,
                vertex.max_parallelism,
                [parts[operator.uid][subtask] for subtask in range(vertex.parallelism)],
            )
            for vertex, operator in self._graph.operators()
        }

    # ------------------------------------------------------------------------------------------------- reading

    @property
    def output(self) -> list[Any]:
        """The values of the main output so far."""
        return [record.value for record in self._output.records]

    @property
    def output_records(self) -> list[TimestampedValue]:
        """The main output so far, values with their timestamps."""
        return list(self._output.records)

    def take_output(self) -> list[Any]:
        """Return the values of the main output since the last call."""
        values = self.output
        self._output.records.clear()
        return values

    def side_output(self, tag: OutputTag) -> list[Any]:
        """Return the values of a side output so far.

        Raises:
            ConfigurationError: the harness was not told to keep it.
        """
        if tag.tag_id not in self._sides:
            raise ConfigurationError(
                f"Side output {tag.tag_id!r} is not kept; make the harness with side_outputs=[tag]."
            )
        return [record.value for record in self._sides[tag.tag_id].records]

    @property
    def processing_time(self) -> int:
        """What the clock shows, in milliseconds."""
        return self._clock.now_ms()

    @property
    def current_watermark(self) -> int:
        """The event time that the output has reached, ``-2**63`` before the first watermark."""
        ends = [task for task in self._tasks.values() if any(uid == "harness-output" for uid, _ in task.chain.sinks())]
        return min(task.chain.current_watermark() for task in ends)

    @property
    def late_records_dropped(self) -> int:
        """How many records came too late for their windows and went nowhere."""
        return sum(task.chain.late_records_dropped for task in self._tasks.values())

    @property
    def keyed_state_entries(self) -> int:
        """How many entries there are in all keyed states: 0 when nothing leaks."""
        backends = [task.chain.backend for task in self._tasks.values()]
        return sum(backend.number_of_keys() for backend in backends if backend is not None)

    # ------------------------------------------------------------------------------------------------- closing

    def close(self) -> None:
        """Close the functions; once."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _AtOnce(Background):
    """What would run on an I/O thread runs at once: a memory disk does not wait."""

    def __init__(self) -> None:
        pass

    def run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        done(work())

    def close(self, wait: bool) -> None:
        pass

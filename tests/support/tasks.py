"""One real task of a real program: channels to fill and to read, a clock to turn, a disk in memory, no threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.elements import Batch, CheckpointBarrier, Element, EndOfInput, Watermark, WatermarkStatus
from wiesel.core.key_groups import key_group_function
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import SourceSpec
from wiesel.core.types import Types
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.graph.job_graph import JobGraph, build_job_graph
from wiesel.runtime.chain import ChainEnvironment, OperatorChain, OperatorRestore
from wiesel.runtime.checkpoint.manifest import SealKey
from wiesel.runtime.checkpoint.storage import CheckpointStorage
from wiesel.runtime.exchange.channel import LocalChannel
from wiesel.runtime.exchange.input_gate import InputGate
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.reports import TaskId, TaskReport
from wiesel.runtime.source_input import SourceInput
from wiesel.runtime.task import Task
from wiesel.runtime.task_checkpoints import TaskCheckpoints
from wiesel.runtime.time_service import TimeService
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.testing.clock import ManualClock
from wiesel.testing.memory_disk import MemoryDisk

JOB_DIRECTORY = Path("/job")


def job_graph(build: Callable[[StreamExecutionEnvironment], Any], parallelism: int = 1) -> JobGraph:
    """Return the job graph of a program."""
    environment = StreamExecutionEnvironment(Configuration())
    environment.set_parallelism(parallelism)
    build(environment)
    return build_job_graph(environment._stream_graph("test"))


class TaskHarness:
    """Subtask 0 of one vertex.

    Args:
        build: adds the program to an environment.
        vertex: which vertex of its job graph.
        channels: how many channels feed each input edge.
        watermark_interval_ms: of the periodic watermarks.
        restore: what a checkpoint holds, by operator uid.
    """

    def __init__(
        self,
        build: Callable[[StreamExecutionEnvironment], Any],
        vertex: int = 0,
        channels: int = 1,
        watermark_interval_ms: int = 200,
        restore: dict[str, OperatorRestore] | None = None,
    ) -> None:
        graph = job_graph(build)
        self.vertex = graph.vertices[vertex]
        self.clock = ManualClock()
        self.disk = MemoryDisk()
        self.storage = CheckpointStorage(self.disk, JOB_DIRECTORY, SealKey(b"k" * 32))
        self.reports: list[TaskReport] = []
        self.input_ends = 0
        self.errors: list[BaseException] = []
        #: What would run on I/O threads: pairs of the work and what takes its result.
        self.background: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.inputs = [[LocalChannel() for _ in range(channels)] for _ in graph.in_edges(self.vertex.vertex_id)]
        self.outputs = [LocalChannel() for _ in graph.out_edges(self.vertex.vertex_id)]
        edges = graph.in_edges(self.vertex.vertex_id)
        writers = [
            (edge.source_operator, edge.side_output, RecordWriter(edge, [channel], 128, Random(1)))
            for edge, channel in zip(graph.out_edges(self.vertex.vertex_id), self.outputs, strict=True)
        ]
        chain = OperatorChain(
            self.vertex,
            writers,
            ChainEnvironment(
                subtask=0,
                attempt=0,
                clock=self.clock,
                configuration=Configuration(),
                create_backend=lambda _: HeapKeyedStateBackend(key_group_function(Types.PICKLED_BYTE_ARRAY(), 128)),
                job_directory=None,
                lineage="lineage",
                restore=restore or {},
                wake=lambda: None,
                fail=self.errors.append,
                metrics=TaskMetricGroup(),
            ),
            inputs=1 + max((edge.input_index for edge in edges), default=-1),
        )
        self.chain = chain
        source = self._source()
        gate = InputGate(
            [(c, edge.input_index) for edge, feeding in zip(edges, self.inputs, strict=True) for c in feeding]
        )
        self.task = Task(
            chain=chain,
            source=source,
            gate=None if source is not None else gate,
            writers=[writer for _, _, writer in writers],
            clock=self.clock,
            time=TimeService(chain, source, self.clock, watermark_interval_ms),
            checkpoints=TaskCheckpoints(
                0,
                TaskId(self.vertex.vertex_id, 0),
                chain,
                source,
                self.storage.create_state_file,
                lambda work, done: self.background.append((work, done)),
                self.reports.append,
            ),
            input_ended=self._count_end,
        )

    def _source(self) -> SourceInput | None:
        node = self.vertex.operators[0]
        if not isinstance(node.spec, SourceSpec):
            return None
        context = SourceContext(node.uid, node.name, 0, 1, Configuration(), wake=lambda: None)
        return SourceInput(node.spec.source.create_reader(context), node.spec.watermark_strategy, self.clock)

    def _count_end(self) -> None:
        self.input_ends += 1

    # ------------------------------------------------------------------------------------------------- driving

    def start_source(self) -> None:
        """Give the reader all splits of its source."""
        node = self.vertex.operators[0]
        assert isinstance(node.spec, SourceSpec)
        context = SourceContext(node.uid, node.name, -1, 1, Configuration(), wake=lambda: None)
        enumerator = node.spec.source.create_enumerator(context, None)
        splits = enumerator.on_discovered(enumerator.discover())
        self.task.add_splits(list(splits), no_more=enumerator.discovery_interval_ms is None)

    def put(self, *elements: Element, edge: int = 0, channel: int = 0) -> None:
        """Put elements into a channel."""
        for element in elements:
            self.inputs[edge][channel].put(element)

    def records(self, *values: Any, keys: list[Any] | None = None, edge: int = 0, channel: int = 0) -> None:
        """Put one batch, each value with its position as timestamp, into a channel."""
        self.put(Batch(list(values), list(range(len(values))), keys), edge=edge, channel=channel)

    def settle(self) -> None:
        """Step until there is nothing to do."""
        for _ in range(10_000):
            if not self.task.step():
                return
        raise AssertionError("the task never comes to rest")

    def run_background(self) -> None:
        """Do what waits for I/O threads."""
        waiting, self.background = self.background, []
        for work, done in waiting:
            try:
                result = work()
            except OSError as error:
                result = error
            done(result)

    def checkpoint(self, number: int) -> None:
        """Make the directory of a checkpoint and send its barrier down every channel, or trigger it at the source."""
        self.storage.begin(number)
        if self.task.source is not None:
            self.task.trigger_checkpoint(number, suspend=False)
        for edge in self.inputs:
            for channel in edge:
                channel.put(CheckpointBarrier(number))

    # -------------------------------------------------------------------------------------------------- reading

    def emitted(self, output: int = 0) -> list[Any]:
        """Take what was emitted: values of records one by one, control elements as they are."""
        taken: list[Any] = []
        while (element := self.outputs[output].poll()) is not None:
            taken += element.values if isinstance(element, Batch) else [element]
        return taken

    def values(self, output: int = 0) -> list[Any]:
        """Take the values that were emitted and drop control elements."""
        control = (Watermark, WatermarkStatus, CheckpointBarrier, EndOfInput)
        return [item for item in self.emitted(output) if not isinstance(item, control)]

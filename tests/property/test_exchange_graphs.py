"""Any graph over any number of workers comes to its end, with every record and every barrier, whoever is stepped when.

The shipped tasks, channels and sockets are used; only the scheduler is ours. Channels hold few records, so that tasks
are held back all the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.sinks import PublishingSink
from tests.support.tasks import job_graph
from wiesel.cluster import execute
from wiesel.cluster.background import Background
from wiesel.cluster.deployment import DeploymentContext, deploy
from wiesel.cluster.options import JobOptions
from wiesel.cluster.workers.connection import Connection
from wiesel.cluster.workers.peers import PeerExchange
from wiesel.cluster.workers.poller import Poller
from wiesel.common import Types, WatermarkStrategy
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import SourceSpec
from wiesel.datastream import CoMapFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.exchange import channel, remote_channel
from wiesel.runtime.reports import CheckpointAcknowledged, InputEnded, TaskId, TaskReport, WatermarkReported
from wiesel.runtime.task import Task
from wiesel.testing.clock import ManualClock

RECORDS = 1500


@pytest.fixture(scope="module", autouse=True)
def small_channels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel, "CAPACITY", 100)
        patch.setattr(remote_channel, "CAPACITY", 100)
        patch.setattr(remote_channel, "CREDIT_STEP", 25)
        yield


class Join(CoMapFunction):
    def map1(self, value: int) -> int:
        return value + 1

    def map2(self, value: int) -> int:
        return value + 2


class RandomProgram:
    """A program drawn from a seed, the same each time it is built."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def graph(self, sink: PublishingSink) -> JobGraph:
        return job_graph(lambda env: self._build(env, Random(self._seed), sink))

    def _build(self, env: StreamExecutionEnvironment, chance: Random, sink: PublishingSink) -> None:
        streams = [self._source(env, chance) for _ in range(chance.randint(1, 2))]
        for _ in range(chance.randint(1, 6)):
            stream = chance.choice(streams)
            streams.append(self._step(stream, chance.choice(streams), chance))
        end, *others = streams
        result: Any = end.union(*others) if others else end
        result.map(lambda n: n).set_parallelism(chance.randint(1, 4)).sink_to(Sink(sink))

    def _source(self, env: StreamExecutionEnvironment, chance: Random) -> Any:
        numbers = NumberSequenceSource(1, RECORDS)
        stream = env.from_source(numbers, WatermarkStrategy.for_monotonous_timestamps(), "numbers")
        return stream.set_parallelism(chance.randint(1, 4))

    def _step(self, stream: Any, other: Any, chance: Random) -> Any:
        shipped: Any = chance.choice(
            [
                lambda: stream,
                stream.rebalance,
                stream.rescale,
                stream.shuffle,
                stream.broadcast,
                lambda: stream.key_by(lambda n: n % 7),
                lambda: stream.partition_custom(lambda key, count: key % count, lambda n: n % 3),
            ]
        )()
        if chance.random() < 0.2:
            changed = stream.connect(other).map(Join(), output_type=Types.LONG())
        elif chance.random() < 0.2:
            changed = shipped.flat_map(lambda n: [n, n + 1] if n % 5 == 0 else [], output_type=Types.LONG())
        else:
            changed = shipped.map(lambda n: n + 1, output_type=Types.LONG())
        return changed.set_parallelism(chance.randint(1, 4))


class Cluster:
    """All workers of a job in this process, joined by real sockets and stepped in an order drawn from a seed."""

    def __init__(self, graph: JobGraph, workers: int, chance: Random) -> None:
        import socket

        self._chance = chance
        self.reports: list[TaskReport | WatermarkReported] = []
        self.tasks: list[dict[TaskId, Task]] = []
        self._connections: list[dict[int, Connection]] = [{} for _ in range(workers)]
        for one in range(workers):
            for other in range(one + 1, workers):
                pair = socket.socketpair()
                self._connections[one][other] = Connection(pair[0].detach())
                self._connections[other][one] = Connection(pair[1].detach())
        self._pollers = [Poller() for _ in range(workers)]
        self._background = Background(lambda done: done(), 1, "test")
        for worker in range(workers):
            exchange = PeerExchange(worker, workers, self._connections[worker])
            context = DeploymentContext(
                options=JobOptions("job", Configuration()),
                checkpoints=None,
                clock=ManualClock(),
                wake=lambda: None,
                report=self.reports.append,
                background=self._background,
                metrics=TaskMetricGroup(),
                exchange=exchange,
            )
            self.tasks.append(deploy(graph, 0, None, context))
            for connection in self._connections[worker].values():
                self._pollers[worker].add(connection, exchange.receive)
        self._give_splits(graph)

    def _all(self) -> dict[TaskId, Task]:
        return {task_id: task for tasks in self.tasks for task_id, task in tasks.items()}

    def _give_splits(self, graph: JobGraph) -> None:
        tasks = self._all()
        for vertex, operator in graph.operators():
            if isinstance(operator.spec, SourceSpec):
                context = SourceContext("", "", -1, vertex.parallelism, Configuration(), lambda: None)
                enumerator = operator.spec.source.create_enumerator(context, None)
                splits = enumerator.on_discovered(enumerator.discover())
                for subtask in range(vertex.parallelism):
                    own = [split for split in splits if enumerator.owner(split.split_id) == subtask]
                    tasks[TaskId(vertex.vertex_id, subtask)].add_splits(own, no_more=True)

    def round(self) -> bool:
        """Let some workers do something; return whether any task had anything to do."""
        worked = False
        order = list(range(len(self.tasks)))
        self._chance.shuffle(order)
        for worker in order[: self._chance.randint(1, len(order))]:
            self._pollers[worker].exchange(0.0)
            for task in self.tasks[worker].values():
                worked = (self._chance.random() < 0.8 and task.step()) or worked
        return worked

    def run_until(self, is_over: Any) -> None:
        """Go on; when nobody had anything to do for long, nobody ever will."""
        idle = 0
        while not is_over():
            idle = 0 if self.round() else idle + 1
            assert idle < 300, "stuck"

    def trigger(self, checkpoint_id: int, suspend: bool) -> None:
        for task in self._all().values():
            if task.source is not None:
                task.trigger_checkpoint(checkpoint_id, suspend)

    def reported(self, kind: type[Any]) -> int:
        return sum(isinstance(report, kind) for report in self.reports)

    def close(self) -> None:
        for task in self._all().values():
            task.close()
        for connections in self._connections:
            for connection in connections.values():
                connection.close()
        for poller in self._pollers:
            poller.close()
        self._background.close(wait=True)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), workers=st.integers(1, 4), barriers=st.integers(0, 5))
def test_any_graph_over_any_number_of_workers_gives_what_one_process_gives(
    seed: int, workers: int, barriers: int
) -> None:
    expected, sink = PublishingSink(transactional=False), PublishingSink(transactional=False)
    execute(RandomProgram(seed).graph(expected), JobOptions("job", Configuration()))

    cluster = Cluster(RandomProgram(seed).graph(sink), workers, Random(seed))
    try:
        tasks = sum(len(part) for part in cluster.tasks)
        for checkpoint_id in range(1, barriers + 1):
            for _ in range(Random(seed + checkpoint_id).randint(0, 30)):
                cluster.round()
            cluster.trigger(checkpoint_id, suspend=False)
            cluster.run_until(lambda at=checkpoint_id: cluster.reported(CheckpointAcknowledged) == at * tasks)
        cluster.run_until(lambda: cluster.reported(InputEnded) == tasks)
        cluster.trigger(barriers + 1, suspend=True)
        cluster.run_until(lambda: cluster.reported(CheckpointAcknowledged) == (barriers + 1) * tasks)
    finally:
        cluster.close()
    assert Counter(sink.published) == Counter(expected.published)

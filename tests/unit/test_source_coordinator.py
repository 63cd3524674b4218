"""Enumerators beside the tasks: who gets which split, what becomes of late results and of failures."""

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.support.tasks import job_graph
from wiesel.cluster.background import Background
from wiesel.cluster.sources import SourceCoordinator
from wiesel.common import Types, WatermarkStrategy
from wiesel.connectors.collections.bounded import FixedEnumerator
from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext, SourceSplit
from wiesel.datastream.connectors.base import Source
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.reports import OperatorSnapshot
from wiesel.testing.clock import ManualClock


class Reader:
    """Takes down what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[list[str], bool]] = []

    def add_splits(self, splits: list[SourceSplit], no_more: bool) -> None:
        self.given.append(([split.split_id for split in splits], no_more))

    def limit_watermark(self, max_watermark: int) -> None:
        raise AssertionError("no source here is aligned")


class Growing(FixedEnumerator):
    """Finds one split more with each discovery, and sometimes cannot look."""

    discovery_interval_ms = 100

    def __init__(self, world: "World", parallelism: int, state: Any) -> None:
        super().__init__([], parallelism, state)
        self._world = world

    def discover(self) -> Any:
        if self._world.failures:
            raise self._world.failures.pop(0)
        self._world.found += 1
        return self._world.found

    def on_discovered(self, result: Any) -> Sequence[SourceSplit]:
        return [SourceSplit(f"part-{result}", {})]

    def close(self) -> None:
        self._world.closed += 1


class GrowingSpec(NumberSequenceSpec):
    def __init__(self, world: "World") -> None:
        super().__init__(0, 1)
        self._world = world

    def create_enumerator(self, context: SourceContext, state: Any) -> FixedEnumerator:
        if self._world.refuses == context.operator_name:
            raise OSError("refused")
        return Growing(self._world, context.parallelism, state)


class World:
    """A coordinator of one source with two readers, and the thread that it calls back on: the test's."""

    def __init__(self, specs: dict[str, Any], refuses: str = "", restore: CheckpointManifest | None = None) -> None:
        self.failures: list[BaseException] = []
        self.found = self.closed = 0
        self.refuses = refuses
        self.clock = ManualClock()
        self.errors: list[BaseException] = []
        self.mail: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.background = Background(self.mail.put, 1, "test")

        def build(env: Any) -> None:
            for name, make in specs.items():
                strategy = WatermarkStrategy.no_watermarks()
                env.from_source(Source(make(self)), strategy, name, Types.LONG()).uid(name).map(str).print()

        graph = job_graph(build, parallelism=2)
        self.readers = {(vertex.vertex_id, i): Reader() for vertex in graph.vertices for i in range(2)}
        self.coordinator = SourceCoordinator(
            graph, self.readers, restore, self.background, self.clock, Configuration(), self.errors.append
        )

    def discover(self) -> None:
        """Let one discovery come back."""
        self.coordinator.discover_if_due()
        self.mail.get(timeout=60)()

    def given(self) -> list[list[tuple[list[str], bool]]]:
        return [reader.given for reader in self.readers.values()]


@pytest.fixture
def worlds() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*arguments: Any, **options: Any) -> World:
        made.append(World(*arguments, **options))
        return made[-1]

    yield make
    for world in made:
        world.background.close(wait=True)


def test_splits_go_to_their_owners_and_readers_learn_that_no_more_come(worlds: Callable[..., World]) -> None:
    world = worlds({"n": lambda world: NumberSequenceSpec(0, 9)})
    world.discover()
    assert world.given() == [[(["numbers-0"], True)], [(["numbers-1"], True)]]
    assert world.coordinator.next_due() == float("inf")


def test_a_reader_without_a_split_learns_that_none_will_come(worlds: Callable[..., World]) -> None:
    world = worlds({"n": lambda world: NumberSequenceSpec(0, 0)})
    world.discover()
    assert world.given() == [[(["numbers-0"], True)], [([], True)]]


def test_an_enumerator_that_keeps_looking_is_asked_at_its_interval(worlds: Callable[..., World]) -> None:
    world = worlds({"g": GrowingSpec})
    world.discover()
    assert world.coordinator.next_due() == pytest.approx(0.1)
    world.clock.advance(101)
    world.discover()
    assert world.given() == [[([], False), (["part-2"], False)], [(["part-1"], False)]]


def test_after_the_first_look_each_reader_knows_whether_it_has_a_split_and_is_not_told_again(
    worlds: Callable[..., World],
) -> None:
    """Until then it holds event time back (``SourceInput.next_watermark``), so it must not be left waiting."""
    world = worlds({"g": GrowingSpec})
    assert world.given() == [[], []]
    world.discover()
    assert [len(given) for given in world.given()] == [1, 1]
    world.clock.advance(101)
    world.discover()
    assert sum(len(given) for given in world.given()) == 3


def test_a_first_discovery_that_fails_fails_the_job_and_a_later_one_is_tried_again(
    worlds: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    world = worlds({"g": GrowingSpec})
    world.failures = [OSError("first")]
    world.discover()
    assert [str(error) for error in world.errors] == ["first"]
    world.clock.advance(101)
    world.discover()
    world.failures = [OSError("later")]
    world.clock.advance(101)
    world.discover()
    assert len(world.errors) == 1
    assert "later" in caplog.text
    world.clock.advance(101)
    world.discover()
    assert world.found == 2


def test_a_result_that_comes_after_the_attempt_was_closed_is_dropped(worlds: Callable[..., World]) -> None:
    world = worlds({"g": GrowingSpec})
    world.coordinator.discover_if_due()
    late = world.mail.get(timeout=60)
    world.coordinator.close()
    late()
    assert world.given() == [[], []]
    assert world.closed == 1


def test_enumerators_already_made_are_closed_when_a_later_one_cannot_be(worlds: Callable[..., World]) -> None:
    seen: list[World] = []

    def remember(world: World) -> GrowingSpec:
        seen.append(world)
        return GrowingSpec(world)

    with pytest.raises(OSError, match="refused"):
        worlds({"g": remember, "h": GrowingSpec}, refuses="Source: h")
    assert seen[0].closed == 1
    seen[0].background.close(wait=True)


@pytest.mark.parametrize("given", [True, False])
def test_a_checkpoint_from_before_the_first_discovery_does_not_lose_the_splits(
    worlds: Callable[..., World], given: bool
) -> None:
    parts = [OperatorSnapshot(splits=[SourceSplit("numbers-1", {"next": 7, "last": 9})] if given else [])]
    operators = {"n": OperatorManifest("n", 128, [*parts, OperatorSnapshot()], {"given": given})}
    world = worlds({"n": lambda world: NumberSequenceSpec(0, 9)}, restore=CheckpointManifest(1, "l", 0, operators))
    world.discover()
    names = sorted(name for reader in world.given() for splits, _ in reader for name in splits)
    assert names == (["numbers-1"] if given else ["numbers-0", "numbers-1"])
    assert world.coordinator.snapshot() == {"n": {"given": True}}

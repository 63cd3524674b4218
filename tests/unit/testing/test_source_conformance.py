"""The conformance checks of sources: the shipped ones pass, each way of being wrong fails the check named for it."""

from __future__ import annotations

import runpy
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wiesel.common import Types
from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.connectors.collections.collection import CollectionSpec
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.datastream.connectors.datagen import DataGeneratorSource
from wiesel.datastream.connectors.file_system import FileSource, StreamFormat
from wiesel.datastream.connectors.hybrid_source import HybridSource
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.connectors.own import Source
from wiesel.testing import ConformanceError, InMemorySource, SourceConformance

EXAMPLES = Path(__file__).parents[3] / "examples"


# ------------------------------------------------------------------------------------------------ what is shipped


def files(folder: Path) -> tuple[Callable[[], Any], list[Any]]:
    folder.mkdir()
    for name, count in {"a": 5, "b": 0, "c": 12}.items():
        (folder / name).write_text("".join(f"{name}{i}\n" for i in range(count)))
    build = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(folder)).build
    return build, [f"a{i}" for i in range(5)] + [f"c{i}" for i in range(12)]


def table(folder: Path) -> tuple[Callable[[], Any], list[Any]]:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "db")) as db, db:
        db.execute("CREATE TABLE numbers (n INTEGER)")
        db.executemany("INSERT INTO numbers VALUES (?)", [(i,) for i in range(23)])
    spec = runpy.run_path(str(EXAMPLES / "own_source.py"))["TableSource"]
    return lambda: Source(spec(str(folder / "db"), "numbers")), [(i,) for i in range(23)]


def hybrid(folder: Path) -> tuple[Callable[[], Any], list[Any]]:
    build, lines = files(folder)
    return lambda: HybridSource.builder(build()).add_source(InMemorySource(["x", "y"])).build(), [*lines, "x", "y"]


SHIPPED: dict[str, Callable[[Path], tuple[Callable[[], Any], list[Any]]]] = {
    "number sequence": lambda _: (lambda: NumberSequenceSource(1, 20), list(range(1, 21))),
    "collection": lambda _: (lambda: CollectionSpec(list("abcabc")), list("abcabc")),
    "empty collection": lambda _: (lambda: CollectionSpec([]), []),
    "in memory": lambda _: (lambda: InMemorySource("abc"), list("abc")),
    "empty in memory": lambda _: (InMemorySource, []),
    "data generator": lambda _: (
        lambda: DataGeneratorSource(lambda n: {"n": n}, 20, type_info=Types.PICKLED_BYTE_ARRAY()),
        [{"n": n} for n in range(20)],
    ),
    "files": lambda folder: files(folder / "files"),
    "hybrid": lambda folder: hybrid(folder / "hybrid"),
    "example": lambda folder: table(folder / "table"),
}
NAMES = [check.name for check in SourceConformance(lambda: None).checks()]


@pytest.mark.parametrize("source", SHIPPED)
def test_shipped_sources_keep_every_rule(source: str, tmp_path: Path) -> None:
    make, expected = SHIPPED[source](tmp_path)
    SourceConformance(make, expected).check_all()


# -------------------------------------------------------------------------------------------- what must not pass


class Numbers(AlwaysReady):
    """0 to 9 in two splits, right; each subclass breaks one rule."""

    def create_enumerator(self, context: SourceContext, state: Json | None) -> Any:
        splits = [SourceSplit(f"part-{i}", {"next": 5 * i, "end": 5 * i + 5}) for i in range(2)]
        return FixedEnumerator(splits, context.parallelism, state)

    def create_reader(self, context: SourceContext) -> Any:
        return Reader(context)


class Reader(BoundedReader):
    def __init__(self, context: SourceContext) -> None:
        super().__init__()
        self.context = context

    def poll(self, max_records: int) -> SourceBatch | None:
        if not self._splits:
            return None
        split = self._splits[0]
        values = self.take(split, max_records)
        end = split.position["next"] + len(values)
        if end >= split.position["end"]:
            self.end()
        else:
            self._splits[0] = self.moved(split, end)
        return SourceBatch(split.split_id, values, [MIN_TIMESTAMP] * len(values))

    def take(self, split: SourceSplit, max_records: int) -> list[Any]:
        return list(range(split.position["next"], split.position["end"]))[:max_records]

    def moved(self, split: SourceSplit, end: int) -> SourceSplit:
        return SourceSplit(split.split_id, {**split.position, "next": end})

    def end(self) -> None:
        self._finished.append(self._splits.popleft().split_id)


def reading(reader: type[Reader]) -> type[Numbers]:
    class Broken(Numbers):
        def create_reader(self, context: SourceContext) -> Any:
            return reader(context)

    return Broken


class HoldsAClient(Numbers):
    def __init__(self) -> None:
        self.lock = threading.Lock()


class GivesTheLastRecordTwice(Reader):
    def take(self, split: SourceSplit, max_records: int) -> list[Any]:
        values = super().take(split, max_records)
        return [*values, 9] if 9 in values else values


class IgnoresItsLimit(Reader):
    def take(self, split: SourceSplit, max_records: int) -> list[Any]:
        return super().take(split, max_records + 1)


class EndsTooEarly(Reader):
    def is_finished(self) -> bool:
        return not self._splits


class ForgetsToTellTheEnd(Reader):
    def end(self) -> None:
        self._splits.popleft()


class RemembersOneTooFew(Reader):
    def moved(self, split: SourceSplit, end: int) -> SourceSplit:
        self.true_end = end
        return super().moved(split, end)

    def snapshot(self) -> list[SourceSplit]:
        return [super(RemembersOneTooFew, self).moved(s, max(s.position["next"] - 1, 0)) for s in self._splits]


class MovesOnInASnapshot(Reader):
    def snapshot(self) -> list[SourceSplit]:
        found = list(self._splits)
        if found:
            split = self._splits[0]
            self._splits[0] = self.moved(split, min(split.position["next"] + 1, split.position["end"]))
        return found


class KeepsEndedSplits(Reader):
    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self.ended: list[SourceSplit] = []

    def end(self) -> None:
        self.ended.append(self._splits[0])
        super().end()

    def snapshot(self) -> list[SourceSplit]:
        return [*self._splits, *self.ended]


class PositionsThatAreNoJson(Reader):
    def moved(self, split: SourceSplit, end: int) -> SourceSplit:
        return SourceSplit(split.split_id, {**split.position, "next": end, "seen": {end}})


#: When the test is over, so that no thread outlives it.
ENDED = threading.Event()


class LeavesAThread(Reader):
    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        threading.Thread(target=ENDED.wait, daemon=True, name="fetcher").start()


class ForgetsWhatItGave(Numbers):
    def create_enumerator(self, context: SourceContext, state: Json | None) -> Any:
        return super().create_enumerator(context, None)


class AlwaysSaysGiven(Numbers):
    def create_enumerator(self, context: SourceContext, state: Json | None) -> Any:
        enumerator = super().create_enumerator(context, state)
        enumerator.snapshot = lambda: {"given": True}
        return enumerator


class OwnedByNobody(Numbers):
    def create_enumerator(self, context: SourceContext, state: Json | None) -> Any:
        enumerator = super().create_enumerator(context, state)
        enumerator.owner = lambda split_id: int(split_id[-1])
        return enumerator


BROKEN: dict[str, tuple[type[Numbers], str]] = {
    "spec_is_data": (HoldsAClient, "cannot be pickled"),
    "everything_once": (reading(GivesTheLastRecordTwice), "Too often, or unknown: 9"),
    "bounds_of_poll": (reading(IgnoresItsLimit), r"poll\(1\) returned 2 records"),
    "end": (reading(EndsTooEarly), r"before no_more_splits\(\)"),
    "finished_splits": (reading(ForgetsToTellTheEnd), "Missing: 'part-0', 'part-1'"),
    "positions": (reading(RemembersOneTooFew), "Stopped behind record 0"),
    "snapshot_changes_nothing": (reading(MovesOnInASnapshot), "two snapshots"),
    "splits_given_once": (ForgetsWhatItGave, "given out again"),
    "lost_before_discovery": (AlwaysSaysGiven, "Missing: 0, 1"),
    "parallel_readers": (OwnedByNobody, "owner 1 among 1 readers"),
    "close": (reading(LeavesAThread), "thread 'fetcher' goes on"),
}


def test_the_source_that_the_broken_ones_are_made_of_is_right() -> None:
    SourceConformance(Numbers, list(range(10))).check_all()


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_breaks_a_rule_fails_the_check_of_that_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiesel.testing.source_conformance._PATIENCE", 0.05)
    broken, message = BROKEN[name]
    ENDED.clear()
    try:
        with pytest.raises(ConformanceError, match=message) as failure:
            SourceConformance(broken, list(range(10)), parallelism=1).check_all()
    finally:
        ENDED.set()
    assert name in str(failure.value) or name == "parallel_readers"


@pytest.mark.parametrize(
    ("reader", "message"),
    [(KeepsEndedSplits, "still has splits in its snapshot"), (PositionsThatAreNoJson, "cannot go into a checkpoint")],
)
def test_snapshots_hold_open_splits_and_json_only(reader: type[Reader], message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        SourceConformance(reading(reader), list(range(10))).check_all()


def test_a_reader_that_falls_asleep_is_told_to_wake_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sleeps(Reader):
        def poll(self, max_records: int) -> SourceBatch | None:
            return None

    monkeypatch.setattr("wiesel.testing.source_conformance._PATIENCE", 0.01)
    with pytest.raises(ConformanceError, match=r"neither ended nor called wake\(\)"):
        SourceConformance(reading(Sleeps), [1]).check_all()

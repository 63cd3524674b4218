"""Watermark alignment: what the group allows, which splits a source pauses, and both together in a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Duration, WatermarkStrategy
from wiesel.core.contracts import SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.watermarks import Alignment
from wiesel.datastream.connectors.own import BoundedSource, FixedSplits, Source, SplitReader
from wiesel.runtime.aligned_source import AlignedSourceInput
from wiesel.runtime.job_master.alignment import WatermarkAlignment
from wiesel.runtime.reports import TaskId
from wiesel.testing.clock import ManualClock

FIRST, SECOND, OTHER = TaskId(1, 0), TaskId(2, 0), TaskId(3, 0)

# ------------------------------------------------------------------------------------------------- the group


def group_of_two() -> WatermarkAlignment:
    return WatermarkAlignment(
        {1: Alignment("group", 100, 1000), 2: Alignment("group", 50, 1000), 3: Alignment("other", 7, 1000)}
    )


def test_each_source_may_be_its_own_drift_ahead_of_the_slowest_of_its_group() -> None:
    alignment = group_of_two()
    assert alignment.report(FIRST, 1000) == {1: 1100, 2: 1050}
    assert alignment.report(SECOND, 200) == {1: 300, 2: 250}
    assert alignment.report(SECOND, 400) == {1: 500, 2: 450}


def test_what_changes_nothing_is_not_told_again() -> None:
    alignment = group_of_two()
    alignment.report(SECOND, 200)
    assert alignment.report(FIRST, 1000) == {}
    assert alignment.report(FIRST, 2000) == {}


def test_groups_do_not_know_each_other() -> None:
    alignment = group_of_two()
    alignment.report(FIRST, 1000)
    assert alignment.report(OTHER, 3) == {3: 10}


def test_subtasks_of_one_source_are_aligned_too() -> None:
    alignment = WatermarkAlignment({1: Alignment("group", 10, 1000)})
    assert alignment.report(TaskId(1, 0), 100) == {1: 110}
    assert alignment.report(TaskId(1, 1), 50) == {1: 60}


def test_an_idle_or_finished_source_holds_nobody_back() -> None:
    alignment = group_of_two()
    alignment.report(FIRST, 1000)
    alignment.report(SECOND, 200)
    assert alignment.report(SECOND, None) == {1: 1100, 2: 1050}
    assert alignment.report(FIRST, None) == {1: MAX_WATERMARK, 2: MAX_WATERMARK}


def test_a_source_without_alignment_is_no_part_of_any_group() -> None:
    assert group_of_two().report(TaskId(9, 0), 5) == {}


def test_a_limit_is_no_later_than_the_end_of_time() -> None:
    assert group_of_two().report(FIRST, MAX_WATERMARK - 1) == {}


# ----------------------------------------------------------------------------------------------------- a source


class TwoSplits(SplitReader):
    """Hands out one element of each split in turn; an element is its timestamp."""

    def __init__(self, elements: dict[str, list[int]]) -> None:
        super().__init__()
        self.elements = elements
        self.paused: set[str] = set()

    def poll(self, max_records: int) -> SourceBatch | None:
        ready = [split for split in self.elements if self.elements[split] and split not in self.paused]
        if not ready:
            return None
        split = max(ready, key=lambda name: len(self.elements[name]))
        timestamp = self.elements[split].pop(0)
        return SourceBatch(split, [timestamp], [timestamp])

    def pause(self, split_ids: Iterable[str]) -> None:
        self.paused = set(split_ids)

    def is_finished(self) -> bool:
        return not any(self.elements.values())


class Aligned:
    """One aligned source; its watermark is that of monotonous timestamps."""

    def __init__(self, elements: dict[str, list[int]], idle_ms: int | None = None) -> None:
        self.clock = ManualClock()
        self.reader = TwoSplits(elements)
        self.reports: list[int | None] = []
        strategy = WatermarkStrategy(out_of_orderness_ms=0, idle_timeout_ms=idle_ms)
        alignment = Alignment("group", 10, 1000)
        self.source = AlignedSourceInput(self.reader, strategy, self.clock, alignment, self.reports.append)
        self.source.add_splits([SourceSplit(name, {}) for name in elements])

    def read(self, times: int = 100) -> list[int]:
        batches = [self.source.poll(1) for _ in range(times)]
        return [batch.values[0] for batch in batches if batch is not None]

    def pass_time(self, milliseconds: int) -> tuple[int | None, bool | None]:
        self.clock.advance(milliseconds)
        return self.source.next_watermark()


def test_a_source_without_limit_reads_everything() -> None:
    assert Aligned({"a": [1, 50, 90]}).read() == [1, 50, 90]


def test_a_split_is_paused_behind_the_record_that_takes_it_beyond_the_limit() -> None:
    aligned = Aligned({"a": [1, 20, 21, 22], "b": [2, 3, 4]})
    aligned.source.limit(15)
    assert aligned.read() == [1, 20, 2, 3, 4]
    assert aligned.reader.paused == {"a"}


def test_a_paused_split_is_read_again_when_the_limit_has_reached_it() -> None:
    aligned = Aligned({"a": [20, 30], "b": [2, 3, 4]})
    aligned.source.limit(15)
    aligned.read()
    aligned.source.limit(18)  # its watermark is 19
    assert aligned.read() == []
    aligned.source.limit(19)
    assert aligned.reader.paused == set()
    assert aligned.read() == [30]


def test_a_limit_pauses_what_is_already_beyond_it() -> None:
    aligned = Aligned({"a": [20, 30], "b": [2, 40]})
    aligned.read(3)
    aligned.source.limit(10)
    assert aligned.reader.paused == {"a"}


def test_a_reader_that_cannot_pause_a_split_is_not_asked_while_all_are_beyond_the_limit() -> None:
    aligned = Aligned({"a": [20, 30], "b": [21, 40]})
    aligned.reader.pause = lambda split_ids: None  # type: ignore[method-assign]
    aligned.source.limit(5)
    assert aligned.read() == [20, 21]
    aligned.source.limit(1000)
    assert aligned.read() == [30, 40]


def test_the_watermark_is_reported_every_update_interval() -> None:
    aligned = Aligned({"a": [20], "b": [30]})
    aligned.pass_time(1000)
    assert aligned.reports == []  # nothing is known yet
    aligned.read()
    aligned.pass_time(200)
    assert aligned.reports == [19]
    aligned.pass_time(800)
    assert aligned.reports == [19]
    aligned.pass_time(200)
    assert aligned.reports == [19, 19]


def test_an_idle_source_reports_that_it_holds_nobody_back() -> None:
    aligned = Aligned({"a": [20]}, idle_ms=2000)
    aligned.read()
    aligned.pass_time(1000)
    aligned.pass_time(2000)
    assert aligned.reports == [19, None]


def test_a_paused_split_does_not_become_idle() -> None:
    aligned = Aligned({"a": [20, 30]}, idle_ms=2000)
    aligned.source.limit(5)
    aligned.read()
    statuses = [aligned.pass_time(1000)[1] for _ in range(10)]
    assert set(statuses) == {None}
    aligned.source.limit(25)
    assert [aligned.pass_time(1000)[1] for _ in range(3)] == [None, True, None]


# --------------------------------------------------------------------------------------------------------- jobs


class Every(BoundedSource):
    """Elements of one split, ``(name, timestamp)`` every ten milliseconds of event time, so many in a batch."""

    def __init__(self, name: str, batch: int, end: int) -> None:
        self.name, self.batch, self.end = name, batch, end

    def create_enumerator(self, context: SourceContext, state: Any) -> FixedSplits:
        return FixedSplits([SourceSplit(f"{self.name}-0", {"next": 0})], context.parallelism, state)

    def create_reader(self, context: SourceContext) -> SplitReader:
        return EveryReader(self)


class EveryReader(SplitReader):
    def __init__(self, source: Every) -> None:
        super().__init__()
        self._source = source

    def poll(self, max_records: int) -> SourceBatch | None:
        if not self._splits:
            return None
        split, source = self._splits[0], self._source
        begin = split.position["next"]
        times = list(range(begin, min(begin + 10 * source.batch, source.end), 10))
        if times[-1] + 10 >= source.end:
            self._finished.append(self._splits.popleft().split_id)
        else:
            self._splits[0] = SourceSplit(split.split_id, {"next": times[-1] + 10})
        return SourceBatch(split.split_id, [(source.name, time) for time in times], times)


def leads(strategy: WatermarkStrategy) -> list[int]:
    """Run a fast and a slow source over the same minute; return how far ahead the fast one was at each element."""
    env = environment()
    env.get_config().set_auto_watermark_interval(1)
    fast = env.from_source(Source(Every("fast", 10, 60_000)), strategy, "fast")
    slow = env.from_source(Source(Every("slow", 1, 60_000)), strategy, "slow")
    rows = collect(fast.union(slow))
    assert Counter(rows) == Counter((name, time) for name in ("fast", "slow") for time in range(0, 60_000, 10))
    newest, found = {"fast": 0, "slow": 0}, []
    for name, time in rows:
        newest[name] = time
        # At first nobody has reported, and the last report of the slow one is its end.
        if 20_000 < newest["slow"] < 59_000:
            found.append(newest["fast"] - newest["slow"])
    return found


def test_a_fast_source_waits_for_the_slow_one_of_its_group() -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    assert max(leads(strategy)) > 30_000
    half_a_second, often = Duration.of_millis(500), Duration.of_millis(1)
    # Beyond the drift is only the batch that went there.
    assert max(leads(strategy.with_watermark_alignment("group", half_a_second, often))) <= 500 + 100


def test_sources_of_other_groups_do_not_wait() -> None:
    strategies = [
        WatermarkStrategy.for_monotonous_timestamps().with_watermark_alignment(group, Duration.of_millis(0))
        for group in ("one", "two")
    ]
    env = environment()
    fast = env.from_source(Source(Every("fast", 10, 600)), strategies[0], "fast")
    slow = env.from_source(Source(Every("slow", 1, 600)), strategies[1], "slow")
    assert len(collect(fast.union(slow))) == 120


@pytest.mark.parametrize(("drift", "interval"), [(-1, 1000), (0, 0), (0, -1)])
def test_an_alignment_that_cannot_be_is_refused(drift: int, interval: int) -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    with pytest.raises(ValueError, match=r"drift cannot be negative|update interval"):
        strategy.with_watermark_alignment("group", Duration.of_millis(drift), Duration.of_millis(interval))


def test_an_alignment_behind_the_source_is_ignored_and_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    stream = environment().from_collection([1])
    stream.assign_timestamps_and_watermarks(strategy)
    assert caplog.messages == []
    stream.assign_timestamps_and_watermarks(strategy.with_watermark_alignment("group", Duration.of_millis(1)))
    assert "only sources can be aligned" in caplog.text and "from_source()" in caplog.text

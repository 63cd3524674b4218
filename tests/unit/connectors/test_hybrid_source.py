"""HybridSource: source after source, each record once, with the right watermarks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.connectors.files import collected, source_context
from wiesel.common import Duration, Types, WatermarkStrategy
from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import SourceBatch, SourceSplit
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors import Source
from wiesel.datastream.connectors.file_system import FileSource, StreamFormat
from wiesel.datastream.connectors.hybrid_source import HybridSource
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.runtime.source_input import SourceInput
from wiesel.testing.clock import ManualClock


def spec_of(*sources: Source) -> Any:
    builder = HybridSource.builder(sources[0])
    for source in sources[1:]:
        builder.add_source(source)
    return builder.build().spec


class Readers:
    """The readers of a job, driven as the engine drives them."""

    def __init__(self, spec: Any, parallelism: int = 1, state: Any = None, restored: Any = ()) -> None:
        self.parallelism = parallelism
        self.enumerator = spec.create_enumerator(source_context(-1, parallelism), state)
        self.readers = [spec.create_reader(source_context(i, parallelism)) for i in range(parallelism)]
        self.give(restored, no_more=False)

    def give(self, splits: Any, no_more: bool) -> None:
        for i, reader in enumerate(self.readers):
            reader.add_splits([split for split in splits if self.enumerator.owner(split.split_id) == i])
            if no_more:
                reader.no_more_splits()

    def discover(self) -> None:
        splits = self.enumerator.on_discovered(self.enumerator.discover())
        self.give(splits, no_more=self.enumerator.discovery_interval_ms is None)

    def read(self, reader: int = 0, limit: int = 10**9) -> list[Any]:
        values: list[Any] = []
        while len(values) < limit and (batch := self.readers[reader].poll(2)) is not None:
            values += batch.values
        return values


def numbers(first: int, last: int) -> Source:
    return NumberSequenceSource(first, last)


def test_sources_are_read_in_order():
    readers = Readers(spec_of(numbers(0, 4), numbers(10, 12), numbers(20, 21)))
    readers.discover()
    assert readers.read() == [0, 1, 2, 3, 4, 10, 11, 12, 20, 21]
    assert readers.readers[0].is_finished()


def test_reader_waits_until_it_was_given_all_of_the_bounded_sources():
    readers = Readers(spec_of(numbers(0, 1), numbers(10, 11)))
    assert readers.read() == []
    assert not readers.readers[0].is_finished()


@pytest.mark.parametrize("cut", range(9))
@pytest.mark.parametrize("parallelism", [1, 2, 3])
def test_restart_at_any_record_and_parallelism_reads_each_record_once(cut, parallelism):
    spec = spec_of(numbers(0, 3), numbers(10, 13))
    first = Readers(spec, parallelism=2)
    first.discover()
    before = first.read(0, cut) + first.read(1, max(cut - 3, 1))
    splits = [split for reader in first.readers for split in reader.snapshot()]
    second = Readers(spec, parallelism, first.enumerator.snapshot(), splits)
    second.discover()
    after = [value for i in range(parallelism) for value in second.read(i)]
    assert sorted(before + after) == [0, 1, 2, 3, 10, 11, 12, 13]
    assert all(reader.is_finished() for reader in second.readers)


class Timed(AlwaysReady):
    """One split for each list of timestamps, which are the records too."""

    def __init__(self, *splits: list[int]) -> None:
        self.splits = splits

    def create_enumerator(self, context: Any, state: Any) -> Any:
        splits = [SourceSplit(f"s-{i}", {"times": times}) for i, times in enumerate(self.splits)]
        return FixedEnumerator(splits, context.parallelism, state)

    def create_reader(self, context: Any) -> Any:
        return TimedReader()


class TimedReader(BoundedReader):
    def poll(self, max_records: int) -> SourceBatch | None:
        if not self._splits:
            return None
        split = self._splits.popleft()
        self._finished.append(split.split_id)
        times = list(split.position["times"])
        return SourceBatch(split.split_id, times, times)


def test_source_that_waits_its_turn_holds_no_watermark_back_and_counts_from_its_turn_on():
    spec = spec_of(Source(Timed([100], [200])), Source(Timed([300], [400])))
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    reader = SourceInput(spec.create_reader(source_context()), strategy, ManualClock())
    enumerator = spec.create_enumerator(source_context(-1), None)
    reader.add_splits(enumerator.on_discovered(enumerator.discover()))
    seen: list[tuple[list[int], int | None]] = []
    splits = []
    while (batch := reader.poll(10)) is not None:
        seen.append((batch.values, reader.next_watermark()[0]))
        splits.append(batch.split_id)
    assert splits == ["0|s-0", "0|s-1", "1|s-0", "1|s-1", "1|s-0", "1|s-1"]
    # 200 alone counts once the file of 100 is read; then 300 must wait for the split of 400, which is announced.
    values = [value for value, _ in seen]
    assert values == [[100], [200], [], [], [300], [400]]
    assert all(watermark is None or watermark < 400 for _, watermark in seen)


def test_files_and_then_numbers_in_a_job(tmp_path):
    (tmp_path / "f").write_text("a\nb\n")
    files = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(tmp_path)).build()
    source = HybridSource.builder(files).add_source(numbers(1, 3)).build()
    assert source.produced_type() == Types.STRING()
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    stream = env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "both", Types.PICKLED_BYTE_ARRAY())
    found = collected(stream.map(str))
    assert found == ["a", "b", "1", "2", "3"]


def test_only_the_last_source_may_be_unbounded(tmp_path):
    endless = (
        FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(tmp_path))
        .monitor_continuously(Duration.of_seconds(1))
        .build()
    )
    assert not HybridSource.builder(numbers(0, 1)).add_source(endless).build().spec.bounded
    with pytest.raises(ConfigurationError, match="must be bounded"):
        HybridSource.builder(endless).add_source(numbers(0, 1))
    with pytest.raises(TypeError, match="takes a Source"):
        HybridSource.builder("files")  # type: ignore[arg-type]

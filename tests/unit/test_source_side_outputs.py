"""A source that brings a sink of its own: what it writes to a side output goes there, once, past event time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job
from tests.support.sinks import PublishingSink
from wiesel.connectors.hybrid import HybridSourceSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceBatch, SourceSplit
from wiesel.core.functions import ProcessFunction
from wiesel.core.side_sinks import SideSink
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink, Source
from wiesel.datastream.connectors.own import BoundedSource, FixedSplits, SplitReader

COUNT = 40
FAR_AHEAD = 10**12


class EvensAndOdds(BoundedSource):
    """Even numbers on the main output, odd ones on the side output, with a timestamp that nobody should see."""

    def __init__(self, odds: PublishingSink, first: int = 0) -> None:
        self.odds = odds
        self.first = first
        self.asked: list[Configuration] = []

    def with_configuration(self, configuration: Configuration) -> "EvensAndOdds":
        self.asked.append(configuration)
        return self

    def side_sinks(self) -> Sequence[SideSink]:
        return [SideSink("odds", self.odds, "Odds")]

    def create_enumerator(self, context: Any, state: Any) -> FixedSplits:
        splits = [SourceSplit(f"s-{self.first + i}", {"next": self.first + i * COUNT, "left": COUNT}) for i in range(2)]
        return FixedSplits(splits, context.parallelism, state)

    def create_reader(self, context: Any) -> "Reader":
        return Reader()


class Reader(SplitReader):
    def poll(self, max_records: int) -> SourceBatch | None:
        if not self._splits:
            return None
        split = self._splits[0]
        first, left = split.position["next"], split.position["left"]
        batch = range(first, first + min(left, 7))
        if left <= 7:
            self._splits.popleft()
            self._finished.append(split.split_id)
        else:
            self._splits[0] = SourceSplit(split.split_id, {"next": first + 7, "left": left - 7})
        evens = [number for number in batch if number % 2 == 0]
        odds = [(number, FAR_AHEAD) for number in batch if number % 2]
        return SourceBatch(split.split_id, evens, evens, None, {"odds": odds})


class Watermarks(ProcessFunction):
    def process_element(self, value: int, ctx: Any) -> Any:
        assert ctx.timer_service().current_watermark() < FAR_AHEAD
        yield value


def run(
    path: Path, source: Any, evens: PublishingSink, parallelism: int = 1, *, chained: bool = True
) -> list[list[Any]]:
    def build(env: StreamExecutionEnvironment) -> None:
        if not chained:
            env.disable_operator_chaining()
        strategy = WatermarkStrategy.for_monotonous_timestamps()
        env.from_source(Source(source), strategy, "numbers").process(Watermarks()).sink_to(Sink(evens))

    Job(path, build, parallelism).run()
    odds = source.odds if isinstance(source, EvensAndOdds) else source.sources[0].odds
    return [sorted(evens.published), sorted(odds.published)]


EVENS, ODDS = list(range(0, 2 * COUNT, 2)), list(range(1, 2 * COUNT, 2))


@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("chained", [True, False])
def test_each_record_reaches_the_sink_of_its_output(tmp_path: Path, parallelism: int, chained: bool) -> None:
    source = EvensAndOdds(PublishingSink())
    assert run(tmp_path, source, PublishingSink(), parallelism, chained=chained) == [EVENS, ODDS]
    assert len(source.asked) == 1


@pytest.mark.parametrize("chained", [True, False])
def test_a_side_output_gets_its_own_records_where_nothing_reads_the_main_one(tmp_path: Path, chained: bool) -> None:
    source = EvensAndOdds(PublishingSink())

    def build(env: StreamExecutionEnvironment) -> None:
        if not chained:
            env.disable_operator_chaining()
        env.from_source(Source(source), WatermarkStrategy.no_watermarks(), "numbers")

    Job(tmp_path, build).run()
    assert sorted(source.odds.published) == ODDS


@pytest.mark.parametrize("failing", ["evens", "odds"])
def test_both_outputs_are_there_once_after_a_failure_in_either_sink(tmp_path: Path, failing: str) -> None:
    sinks = {"evens": PublishingSink(), "odds": PublishingSink()}
    sinks[failing].failing_writes = {13, 30}
    assert run(tmp_path, EvensAndOdds(sinks["odds"]), sinks["evens"]) == [EVENS, ODDS]
    assert sinks[failing].writes > len(EVENS)


def test_sources_in_turn_share_a_side_output(tmp_path: Path) -> None:
    odds = PublishingSink()
    sources = HybridSourceSpec((EvensAndOdds(odds), EvensAndOdds(odds, first=2 * COUNT)), None)
    everything = range(4 * COUNT)
    assert run(tmp_path, sources, PublishingSink()) == [[n for n in everything if n % 2 == odd] for odd in (0, 1)]

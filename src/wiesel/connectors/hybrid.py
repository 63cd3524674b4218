"""Several sources one after the other, such as files and then a topic (Flink: ``HybridSource``).

Every reader goes on to the next source when it has read its own part of the last one; the splits of all sources are
found and given out at the start. Event time of a source begins when a reader begins with it, so that a topic that
waits its turn does not hold the files' watermarks back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import (
    Json,
    Source,
    SourceBatch,
    SourceContext,
    SourceReader,
    SourceSplit,
    SplitEnumerator,
)
from wiesel.core.errors import ConfigurationError
from wiesel.core.side_sinks import SideSink, SourceWithSideSinks
from wiesel.core.types import TypeInformation

#: Tells a reader that it has been given everything of the bounded sources; never part of a checkpoint.
_MARKER: Final = "hybrid"


@dataclass(frozen=True, slots=True)
class HybridSourceSpec:
    """Sources in order; all but the last are bounded.

    Args:
        sources: their specs.
        type_info: type of the first one's records; those of the others must be the same.
    """

    sources: tuple[Source, ...]
    type_info: TypeInformation | None

    @property
    def bounded(self) -> bool:
        """Whether the last source ends."""
        return self.sources[-1].bounded

    def preflight(self, configuration: Configuration) -> None:
        """Check every source."""
        for source in self.sources:
            source.preflight(configuration)

    def with_configuration(self, configuration: Configuration) -> HybridSourceSpec:
        """Return the sources with what they leave to the job's configuration filled in."""
        sources: list[Any] = [
            source.with_configuration(configuration) if isinstance(source, SourceWithSideSinks) else source
            for source in self.sources
        ]
        return replace(self, sources=tuple(sources))

    def side_sinks(self) -> Sequence[SideSink]:
        """Return the sinks of all sources; sources that share a side output share its sink.

        Raises:
            ConfigurationError: they share a side output and have different sinks for it.
        """
        found: dict[str, SideSink] = {}
        for source in self.sources:
            for sink in source.side_sinks() if isinstance(source, SourceWithSideSinks) else ():
                if found.setdefault(sink.tag, sink) != sink:
                    raise ConfigurationError(f"The sources before and after {sink.name!r} write it differently.")
        return list(found.values())

    def create_enumerator(self, context: SourceContext, state: Json | None) -> HybridEnumerator:
        """Return the enumerator over all sources."""
        states = [None] * len(self.sources) if state is None else state["sources"]
        enumerators = [s.create_enumerator(context, own) for s, own in zip(self.sources, states, strict=True)]
        return HybridEnumerator(enumerators, context.parallelism)

    def create_reader(self, context: SourceContext) -> HybridReader:
        """Return a reader; the readers of the sources are made when their turn comes."""
        return HybridReader(self.sources, context)


def _outer(stage: int, split: SourceSplit) -> SourceSplit:
    return SourceSplit(f"{stage}|{split.split_id}", split.position)


def _inner(split_id: str) -> tuple[int, str]:
    stage, _, inner_id = split_id.partition("|")
    return int(stage), inner_id


class HybridEnumerator:
    """Finds the splits of all sources; only the last may find more later.

    Args:
        enumerators: of the sources, in order.
        parallelism: number of readers.
    """

    def __init__(self, enumerators: Sequence[SplitEnumerator], parallelism: int) -> None:
        self._enumerators = enumerators
        self._parallelism = parallelism
        self._first = True
        self.discovery_interval_ms = enumerators[-1].discovery_interval_ms

    def discover(self) -> Json:
        """Look for splits of all sources, later only of the last."""
        last = len(self._enumerators) - 1
        return [e.discover() if self._first or stage == last else None for stage, e in enumerate(self._enumerators)]

    def on_discovered(self, result: Json) -> Sequence[SourceSplit]:
        """Return new splits, and the first time a marker for every reader."""
        splits: list[SourceSplit] = []
        for stage, (enumerator, found) in enumerate(zip(self._enumerators, result, strict=True)):
            if self._first or stage == len(self._enumerators) - 1:
                splits += [_outer(stage, split) for split in enumerator.on_discovered(found)]
        if self._first:
            self._first = False
            splits += [SourceSplit(f"{_MARKER}|{reader}", {}) for reader in range(self._parallelism)]
        return splits

    def owner(self, split_id: str) -> int:
        """Return the reader that the split's own source chooses."""
        if split_id.startswith(_MARKER):
            return int(split_id.partition("|")[2])
        stage, inner_id = _inner(split_id)
        return self._enumerators[stage].owner(inner_id)

    def snapshot(self) -> Json:
        """Return what every source remembers."""
        return {"sources": [enumerator.snapshot() for enumerator in self._enumerators]}

    def close(self) -> None:
        """Release all clients."""
        for enumerator in self._enumerators:
            enumerator.close()


class HybridReader:
    """Reads source after source.

    Args:
        sources: their specs, in order.
        context: given to the readers of all of them.
    """

    def __init__(self, sources: Sequence[Source], context: SourceContext) -> None:
        self._sources = sources
        self._context = context
        self._stage = 0
        self._reader: SourceReader = sources[0].create_reader(context)
        self._waiting: list[list[SourceSplit]] = [[] for _ in sources]
        self._all_given = False
        self._no_more = False
        self._paused: list[str] = []
        self._finished: list[str] = []
        self._to_announce: list[str] = []

    def add_splits(self, splits: Sequence[SourceSplit]) -> None:
        """Keep the splits of later sources; their watermarks do not count before their turn."""
        for split in splits:
            if split.split_id.startswith(_MARKER):
                self._all_given = True
                self._finished.append(split.split_id)
                continue
            stage, inner_id = _inner(split.split_id)
            inner = SourceSplit(inner_id, split.position)
            if stage == self._stage:
                self._reader.add_splits([inner])
            else:
                self._waiting[stage].append(inner)
                self._finished.append(split.split_id)
        self._tell_no_more()

    def no_more_splits(self) -> None:
        """Learn that the last source has no further splits either."""
        self._no_more = True
        self._tell_no_more()

    def _tell_no_more(self) -> None:
        if self._no_more if self._stage == len(self._sources) - 1 else self._all_given:
            self._reader.no_more_splits()

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next records of the source whose turn it is."""
        while True:
            if self._to_announce:
                # Without records it only lets the split's watermark count from here on.
                return SourceBatch(self._to_announce.pop(), [], [])
            batch = self._reader.poll(max_records)
            self._finished += [f"{self._stage}|{split_id}" for split_id in self._reader.finished_splits()]
            if batch is not None:
                batch.split_id = f"{self._stage}|{batch.split_id}"
                return batch
            if self._stage == len(self._sources) - 1 or not self._all_given or not self._reader.is_finished():
                return None
            self._next_source()

    def _next_source(self) -> None:
        self._reader.close()
        self._stage += 1
        self._reader = self._sources[self._stage].create_reader(self._context)
        splits, self._waiting[self._stage] = self._waiting[self._stage], []
        self._to_announce = [f"{self._stage}|{split.split_id}" for split in reversed(splits)]
        self._reader.add_splits(splits)
        self._tell_no_more()
        self.pause(self._paused)

    def is_finished(self) -> bool:
        """Whether the last source is read."""
        return self._stage == len(self._sources) - 1 and not self._to_announce and self._reader.is_finished()

    def finished_splits(self) -> Sequence[str]:
        """Return the splits whose watermarks do not count: those that ended and those whose turn has not come."""
        finished, self._finished = self._finished, []
        return finished

    def snapshot(self) -> Sequence[SourceSplit]:
        """Return the splits of the current source and of those to come."""
        splits = [_outer(self._stage, split) for split in self._reader.snapshot()]
        for stage, waiting in enumerate(self._waiting):
            splits += [_outer(stage, split) for split in waiting]
        return splits

    def notify_checkpoint_complete(self, splits: Sequence[SourceSplit]) -> None:
        """Tell the current source of its part."""
        own = [(_inner(split.split_id), split.position) for split in splits]
        self._reader.notify_checkpoint_complete(
            [SourceSplit(inner_id, position) for (stage, inner_id), position in own if stage == self._stage]
        )

    def pause(self, split_ids: Iterable[str]) -> None:
        """Stop reading exactly these splits."""
        self._paused = list(split_ids)
        inner = (_inner(split_id) for split_id in self._paused if not split_id.startswith(_MARKER))
        self._reader.pause([inner_id for stage, inner_id in inner if stage == self._stage])

    def metrics(self) -> Mapping[str, float]:
        """Return the gauges of the current source."""
        return self._reader.metrics()

    def close(self) -> None:
        """Release the current source."""
        self._reader.close()

"""A source that gives out what a test lets it, in this process or another: the meter is a file."""

from __future__ import annotations

from pathlib import Path

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit


class MeteredSource(AlwaysReady):
    """The numbers 0 … ``last``, number n in split n modulo ``splits`` with event time n; those below the meter come.

    Args:
        meter: the file; ``allow`` sets it.
        last: the last number.
        splits: how many, whatever the parallelism.
    """

    def __init__(self, meter: Path, last: int, splits: int = 6) -> None:
        self.meter = meter
        self.last = last
        self.splits = splits
        self.allow(0)

    def allow(self, count: int) -> None:
        """Let the numbers below ``count`` come."""
        temporary = self.meter.with_suffix(".new")
        temporary.write_text(str(count))
        temporary.rename(self.meter)

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator."""
        splits = [SourceSplit(f"metered-{i}", {"next": i}) for i in range(self.splits)]
        return FixedEnumerator(splits, context.parallelism, state)

    def create_reader(self, context: SourceContext) -> MeteredReader:
        """Return a reader."""
        return MeteredReader(self)


class MeteredReader(BoundedReader):
    """Reads the meter whenever it is asked."""

    def __init__(self, source: MeteredSource) -> None:
        super().__init__()
        self._source = source

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the numbers that the next split with any is allowed to give."""
        allowed = int(self._source.meter.read_text())
        step, last = self._source.splits, self._source.last
        for _ in range(len(self._splits)):
            split = self._splits.popleft()
            following = split.position["next"]
            values = list(range(following, min(allowed, last + 1), step))[:max_records]
            following += step * len(values)
            if following > last:
                self._finished.append(split.split_id)
            else:
                self._splits.append(SourceSplit(split.split_id, {"next": following}))
            if values:
                return SourceBatch(split.split_id, list(values), list(values))
        return None

"""``NumberSequenceSource``: the whole numbers from start to end, split over the readers (mirrors Flink's class)."""

from __future__ import annotations

from typing import Any

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP


class NumberSequenceSpec(AlwaysReady):
    """The numbers from ``start`` to ``end``, both included."""

    def __init__(self, start: int, end: int) -> None:
        if start > end:
            raise ValueError(f"'from' must be <= 'to', got from {start} to {end}.")
        self.start = start
        self.end = end

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator; the range is cut into one part a reader."""
        count = self.end - self.start + 1
        parts = min(context.parallelism, count)
        bounds = [self.start + count * i // parts for i in range(parts + 1)]
        splits = [SourceSplit(f"numbers-{i}", {"next": bounds[i], "last": bounds[i + 1] - 1}) for i in range(parts)]
        return FixedEnumerator(splits, context.parallelism, state)

    def create_reader(self, context: SourceContext) -> NumberSequenceReader:
        """Return a reader."""
        return NumberSequenceReader()


class NumberSequenceReader(BoundedReader):
    """Counts."""

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next numbers."""
        if not self._splits:
            return None
        split = self._splits[0]
        first, last = split.position["next"], split.position["last"]
        end = min(first + max_records - 1, last)
        values: list[Any] = list(range(first, end + 1))
        if end == last:
            self._splits.popleft()
            self._finished.append(split.split_id)
        else:
            self._splits[0] = SourceSplit(split.split_id, {"next": end + 1, "last": last})
        return SourceBatch(split.split_id, values, [MIN_TIMESTAMP] * len(values))

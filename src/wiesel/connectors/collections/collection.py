"""``from_collection``: a list of values, read by one reader (mirrors Flink's ``FromElementsSource``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.shipping import ship


class CollectionSpec(AlwaysReady):
    """Values, pickled when the source is made: what the script does to them later does not matter."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._shipped = ship(list(values), "collection")

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator of the one split."""
        return FixedEnumerator([SourceSplit("collection-0", {"next": 0})], context.parallelism, state)

    def create_reader(self, context: SourceContext) -> CollectionReader:
        """Return a reader over a fresh copy of the values."""
        return CollectionReader(self._shipped.load())


class CollectionReader(BoundedReader):
    """Hands the values out in order."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__()
        self._values = values

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next values."""
        if not self._splits:
            return None
        split = self._splits[0]
        start = split.position["next"]
        values = self._values[start : start + max_records]
        end = start + len(values)
        if end >= len(self._values):
            self._splits.popleft()
            self._finished.append(split.split_id)
        else:
            self._splits[0] = SourceSplit(split.split_id, {"next": end})
        return SourceBatch(split.split_id, values, [MIN_TIMESTAMP] * len(values)) if values else None

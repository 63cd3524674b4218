"""The two ends of a harness: a source that is fed by hand, and a sink that keeps what comes out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.connectors.collections.sinks import PlainSink, PlainWriter
from wiesel.core.contracts import Json, SinkContext, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.isolation import isolate
from wiesel.core.types import TypeInformation


class TimestampedValue(NamedTuple):
    """A record and its event time in milliseconds, ``-2**63`` when it has none."""

    value: Any
    timestamp: int


class HandFedSource(AlwaysReady):
    """One split; its reader hands out what was ``put`` into it, until it has ``ended``.

    Args:
        name: of the split.
        type_info: what the values are made to be; None leaves them as they are.
    """

    def __init__(self, name: str, type_info: TypeInformation | None) -> None:
        self.waiting: deque[TimestampedValue] = deque()
        self.ended = False
        self._split = SourceSplit(f"{name}-0", {})
        self._coerce = None if type_info is None else type_info.collection_coercer()

    def put(self, elements: Iterable[tuple[Any, int | None]]) -> None:
        """Append values with their timestamps."""
        for value, timestamp in elements:
            coerced = value if self._coerce is None else self._coerce(value)
            self.waiting.append(TimestampedValue(coerced, MIN_TIMESTAMP if timestamp is None else timestamp))

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator of the one split."""
        return FixedEnumerator([self._split], context.parallelism, state)

    def create_reader(self, context: SourceContext) -> HandFedReader:
        """Return the reader, which has its split already."""
        reader = HandFedReader(self)
        reader.add_splits([self._split])
        return reader


class HandFedReader(BoundedReader):
    """Reads a ``HandFedSource``."""

    def __init__(self, source: HandFedSource) -> None:
        super().__init__()
        self._source = source

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return everything that waits."""
        waiting = self._source.waiting
        if not waiting:
            return None
        values, timestamps = [list(column) for column in zip(*waiting, strict=True)]
        waiting.clear()
        return SourceBatch(self._splits[0].split_id, values, timestamps)

    def is_finished(self) -> bool:
        """Whether the test has ended the input."""
        return self._source.ended


class KeepingSink(PlainSink):
    """Keeps copies of what comes out, with timestamps; its lists are the test's own."""

    def __init__(self) -> None:
        self.records: list[TimestampedValue] = []

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> KeepingWriter:
        """Return a writer into ``records``."""
        return KeepingWriter(self.records)


class KeepingWriter(PlainWriter):
    """Writes into a list."""

    def __init__(self, records: list[TimestampedValue]) -> None:
        super().__init__(lambda value: None)
        self._records = records

    def write(self, value: Any, timestamp: int) -> None:
        """Keep a copy: a function may go on changing what it has emitted."""
        self._records.append(TimestampedValue(isolate(value), timestamp))

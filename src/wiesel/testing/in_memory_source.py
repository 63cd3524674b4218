"""``InMemorySource``: a job's input as a list, with timestamps, and open-ended if the test wants it so."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import ConfigurationError
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Source
from wiesel.testing.harness_ends import TimestampedValue


class InMemorySource(Source):
    """A source for ``env.from_source`` over values in this process.

    It remembers its position in checkpoints, so a job that fails, or is resumed in the same process, reads on from
    there. Its records come from one subtask, in order.

    Args:
        elements: values, or ``TimestampedValue(value, timestamp)`` where they have event time.
        type_info: of the values; None is untyped.
        bounded: whether it ends behind the last one. If not, ``add`` gives more, and ``close`` ends it.
    """

    def __init__(
        self, elements: Iterable[Any] = (), type_info: TypeInformation | None = None, *, bounded: bool = True
    ) -> None:
        self._log = InMemoryLog(bounded)
        self._type = type_info
        super().__init__(self._log)
        for element in elements:
            if isinstance(element, TimestampedValue):
                self.add(*element)
            else:
                self.add(element)

    def produced_type(self) -> TypeInformation | None:
        """Return the type of the values."""
        return self._type

    def add(self, value: Any, timestamp: int | None = None) -> None:
        """Append one value, from any thread; its event time is in milliseconds."""
        coerced = value if self._type is None else self._type.collection_coercer()(value)
        self._log.append(TimestampedValue(coerced, MIN_TIMESTAMP if timestamp is None else timestamp))

    def close(self) -> None:
        """Let it end behind its last value, from any thread."""
        self._log.end()


class InMemoryLog(AlwaysReady):
    """The spec: the values, and whether more can come."""

    def __init__(self, ends: bool) -> None:
        self.elements: list[TimestampedValue] = []
        self.bounded = ends
        self.ended = ends
        self._guard = threading.Lock()
        self._readers: list[SourceContext] = []

    def append(self, element: TimestampedValue) -> None:
        """Add one value and wake the readers."""
        self.elements.append(element)
        self._wake()

    def end(self) -> None:
        """No value comes any more."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        with self._guard:
            for context in self._readers:
                context.wake()

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator of the one split."""
        return FixedEnumerator([SourceSplit("memory-0", {"next": 0})], context.parallelism, state)

    def create_reader(self, context: SourceContext) -> InMemoryReader:
        """Return a reader."""
        with self._guard:
            self._readers.append(context)
        return InMemoryReader(self, context)

    def forget(self, context: SourceContext) -> None:
        """A reader is closed."""
        with self._guard:
            self._readers.remove(context)

    def __getstate__(self) -> dict[str, Any]:
        if not self.ended:
            raise ConfigurationError(
                "An InMemorySource that is still open lives in the test's own process: run the job without --workers, "
                "or make it bounded."
            )
        return {"elements": self.elements, "bounded": self.bounded}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["bounded"])  # type: ignore[misc]
        self.elements, self.ended = state["elements"], True


class InMemoryReader(BoundedReader):
    """Reads an ``InMemoryLog``."""

    def __init__(self, log: InMemoryLog, context: SourceContext) -> None:
        super().__init__()
        self._log = log
        self._context = context

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next values."""
        if not self._splits:
            return None
        split = self._splits[0]
        start = split.position["next"]
        over = self._log.ended  # asked first: what is added before the end is there by then
        batch: Sequence[TimestampedValue] = self._log.elements[start : start + max_records]
        end = start + len(batch)
        self._splits[0] = SourceSplit(split.split_id, {"next": end})
        if over and end >= len(self._log.elements):
            self._splits.popleft()
            self._finished.append(split.split_id)
        if not batch:
            return None
        values, timestamps = [list(column) for column in zip(*batch, strict=True)]
        return SourceBatch(split.split_id, values, timestamps, lambda i: f"element {start + i} of the InMemorySource")

    def close(self) -> None:
        """Take no more wake-ups."""
        self._log.forget(self._context)

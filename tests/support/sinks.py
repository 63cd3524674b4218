"""The test kit's in-memory sink, with failures on order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wiesel.core.contracts import Committable, CommitterContext, Json, SinkContext
from wiesel.testing.in_memory_sink import InMemoryCommitter, InMemoryOutput, InMemoryWriter


class PublishingSink(InMemoryOutput):
    """The spec. Its committer publishes each committable once, however often it is given it.

    Args:
        transactional: whether output is published by a committer; else it appears as it is written.
    """

    def __init__(self, transactional: bool = True) -> None:
        super().__init__(transactional)
        self.available = True
        #: What the next calls raise, by the name of the method.
        self.failures: dict[str, list[BaseException]] = {}
        self.closed = 0
        #: Numbers of writes, over all attempts, that fail.
        self.failing_writes: set[int] = set()
        #: How many there were.
        self.writes = 0
        #: How often its writers were told that their task is idle.
        self.idle = 0

    def raise_if_told(self, method: str) -> None:
        """Raise the next failure of ``method``, if a test has set one."""
        waiting = self.failures.get(method)
        if waiting:
            raise waiting.pop(0)

    def count_write(self) -> None:
        """Raise if this is a write that fails."""
        self.writes += 1
        if self.writes in self.failing_writes:
            raise RuntimeError(f"write {self.writes}")

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> PublishingWriter:
        """Return a writer."""
        self.raise_if_told("create_writer")
        return PublishingWriter(self, context)

    def create_committer(self, context: CommitterContext) -> PublishingCommitter | None:  # type: ignore[override]
        """Return the committer."""
        return PublishingCommitter(self) if self.transactional else None


class PublishingWriter(InMemoryWriter):
    """Fails when it is told to."""

    def __init__(self, sink: PublishingSink, context: SinkContext) -> None:
        super().__init__(sink, context)
        self._sink = sink

    def write(self, value: Any, timestamp: int) -> None:
        """Take one value."""
        self._sink.raise_if_told("write")
        self._sink.count_write()
        super().write(value, timestamp)

    def is_available(self) -> bool:
        """Whether a test lets it be."""
        return self._sink.available

    def on_idle(self) -> None:
        """Count."""
        self._sink.idle += 1

    def close(self) -> None:
        """Count."""
        self._sink.closed += 1


class PublishingCommitter(InMemoryCommitter):
    """Fails when it is told to."""

    def __init__(self, sink: PublishingSink) -> None:
        super().__init__(sink)
        self._sink = sink

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Publish what is left."""
        self._sink.raise_if_told("recover")
        super().recover(pending, state)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish."""
        self._sink.raise_if_told("commit")
        super().commit(committables)

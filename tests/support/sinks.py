"""A sink that publishes by committables, as exactly-once sinks do, into a list that outlives attempts and starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable, CommitterContext, JobFacts, Json, SinkContext


class PublishingSink:
    """The spec. Its committer publishes each committable once, however often it is given it.

    Args:
        transactional: whether output is published by a committer; else it appears as it is written.
    """

    identity: str | None = None

    def __init__(self, transactional: bool = True) -> None:
        self.transactional = transactional
        self.published: list[Any] = []
        self.available = True
        #: What the next calls raise, by the name of the method.
        self.failures: dict[str, list[BaseException]] = {}
        self.closed = 0
        #: Numbers of writes, over all attempts, that fail.
        self.failing_writes: set[int] = set()
        self._writes = 0
        self._confirmed: set[str] = set()

    def raise_if_told(self, method: str) -> None:
        """Raise the next failure of ``method``, if a test has set one."""
        waiting = self.failures.get(method)
        if waiting:
            raise waiting.pop(0)

    def count_write(self) -> None:
        """Raise if this is a write that fails."""
        self._writes += 1
        if self._writes in self.failing_writes:
            raise RuntimeError(f"write {self._writes}")

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Nothing can be wrong."""

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> PublishingWriter:
        """Return a writer."""
        self.raise_if_told("create_writer")
        return PublishingWriter(self, context)

    def create_committer(self, context: CommitterContext) -> PublishingCommitter | None:
        """Return the committer."""
        return PublishingCommitter(self) if self.transactional else None

    def publish(self, committables: Sequence[Committable]) -> None:
        """Publish what is not yet published."""
        for committable in committables:
            if committable.data["id"] not in self._confirmed:
                self._confirmed.add(committable.data["id"])
                self.published += committable.data["values"]


class PublishingWriter:
    """Keeps values until the barrier."""

    def __init__(self, sink: PublishingSink, context: SinkContext) -> None:
        self._sink = sink
        self._context = context
        self._values: list[Any] = []
        self._count = 0

    def write(self, value: Any, timestamp: int) -> None:
        """Take one value."""
        self._sink.raise_if_told("write")
        self._sink.count_write()
        self._count += 1
        (self._values if self._sink.transactional else self._sink.published).append(value)

    def is_available(self) -> bool:
        """Whether a test lets it be."""
        return self._sink.available

    def flush(self) -> None:
        """Nothing waits."""

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Return the values since the last barrier."""
        if not self._values:
            return ()
        values, self._values = self._values, []
        context = self._context
        number = f"{context.lineage}/{context.attempt}/{context.subtask}/{checkpoint_id}"
        return [Committable(context.operator_uid, {"id": number, "values": values})]

    def snapshot(self) -> Json | None:
        """No state."""
        return None

    def records_written(self) -> int:
        """Return how many values were taken."""
        return self._count

    def close(self) -> None:
        """Count."""
        self._sink.closed += 1


class PublishingCommitter:
    """Publishes at once."""

    def __init__(self, sink: PublishingSink) -> None:
        self._sink = sink

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Publish what is left."""
        self._sink.raise_if_told("recover")
        self._sink.publish(pending)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish."""
        self._sink.raise_if_told("commit")
        self._sink.publish(committables)

    def snapshot(self) -> Json:
        """Nothing to remember."""
        return None

    def close(self) -> None:
        """Nothing to release."""

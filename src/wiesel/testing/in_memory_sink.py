"""``InMemorySink``: a job's output as a list, which appears with checkpoints as that of an exactly-once sink does."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from wiesel.connectors.collections.sinks import PlainSink, PlainWriter
from wiesel.core.contracts import Committable, CommitterContext, Json, SinkContext
from wiesel.core.errors import ConfigurationError
from wiesel.core.isolation import isolate
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.datastream.connectors.base import Sink
from wiesel.testing.conformance import difference, shown


class InMemorySink(Sink):
    """A sink for ``stream.sink_to`` that keeps values in this process.

    Args:
        exactly_once: whether values appear in ``published`` when the checkpoint that holds them is complete (and at
            the end of a bounded job), each once; otherwise they appear as they are written, again after a failure.
    """

    def __init__(self, exactly_once: bool = True) -> None:
        self._memory = InMemoryOutput(exactly_once)
        super().__init__(self._memory)

    @property
    def published(self) -> list[Any]:
        """The values that a reader of this output can see."""
        return list(self._memory.published)

    def assert_published(self, expected: Iterable[Any], *, ordered: bool = False) -> None:
        """Fail unless exactly these values are published, each as often as here.

        Args:
            expected: the values.
            ordered: whether they must have come in this order, too.

        Raises:
            AssertionError: naming what is missing, what is there too often, or where the order differs.
        """
        found, wanted = self.published, list(expected)
        missing, surplus = difference(wanted, found), difference(found, wanted)
        if missing or surplus:
            raise AssertionError(
                f"{len(found)} values were published, and {len(wanted)} expected. "
                f"Missing: {shown(missing)}. Too often, or not expected: {shown(surplus)}."
            )
        if ordered and found != wanted:
            at = next(i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b)
            raise AssertionError(f"The order differs from value {at} on: {found[at]!r} instead of {wanted[at]!r}.")


class InMemoryOutput(PlainSink):
    """The spec, and what was published."""

    def __init__(self, transactional: bool) -> None:
        self.transactional = transactional
        self.published: list[Any] = []
        self._confirmed: set[str] = set()

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> InMemoryWriter:
        """Return a writer."""
        return InMemoryWriter(self, context)

    def create_committer(self, context: CommitterContext) -> InMemoryCommitter | None:  # type: ignore[override]
        """Return the committer."""
        return InMemoryCommitter(self) if self.transactional else None

    def publish(self, committables: Sequence[Committable]) -> None:
        """Publish what is not published yet."""
        for committable in committables:
            if committable.data["name"] not in self._confirmed:
                self._confirmed.add(committable.data["name"])
                self.published += values_of(committable)

    def __getstate__(self) -> dict[str, Any]:
        if not self.transactional:
            raise ConfigurationError(
                "An InMemorySink without exactly_once keeps values where they are written, which would be another "
                "process: run the job without --workers (or --workers 0)."
            )
        return self.__dict__


class InMemoryWriter(PlainWriter):
    """Keeps values until the barrier."""

    def __init__(self, output: InMemoryOutput, context: SinkContext) -> None:
        self._values: list[Any] = []
        self._context = context
        target = self._values if output.transactional else output.published
        super().__init__(lambda value: target.append(isolate(value)))

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Return the values since the last barrier."""
        if not self._values:
            return ()
        # Pickled, so that they may be of any kind: checkpoints hold JSON.
        values = b64encode(pickle_value(self._values)).decode()
        self._values.clear()
        context = self._context
        name = f"{context.lineage}/{context.attempt}/{context.subtask}/{checkpoint_id}"
        return [Committable(context.operator_uid, {"name": name, "values": values})]


def values_of(committable: Committable) -> list[Any]:
    """Return the values that a writer has closed."""
    values: list[Any] = unpickle_value(b64decode(committable.data["values"]))
    return values


class InMemoryCommitter:
    """Publishes at once."""

    def __init__(self, output: InMemoryOutput) -> None:
        self._output = output

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Publish what is left."""
        self._output.publish(pending)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish."""
        self._output.publish(committables)

    def snapshot(self) -> Json:
        """Nothing to remember: publishing twice changes nothing."""
        return None

    def close(self) -> None:
        """Nothing to release."""

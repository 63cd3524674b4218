"""Sinks inside the process: ``print()`` and ``execute_and_collect()``."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Sequence
from typing import Any

from wiesel.connectors.collections.collected import Convert, short_floats
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable, CommitterContext, JobFacts, Json, SinkContext
from wiesel.core.isolation import isolate
from wiesel.core.java_text import printer
from wiesel.core.types import TypeInformation


class PlainWriter:
    """A writer whose ``write`` does it all: nothing to flush, commit or keep."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._count = 0

    def write(self, value: Any, timestamp: int) -> None:
        """Hand the value on."""
        self._count += 1
        self._write(value)

    def is_available(self) -> bool:
        """Always."""
        return True

    def flush(self) -> None:
        """Nothing waits."""

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Nothing is to be committed."""
        return ()

    def snapshot(self) -> Json | None:
        """No state."""
        return None

    def records_written(self) -> int:
        """Return how many values were written."""
        return self._count

    def close(self) -> None:
        """Nothing to release."""


class PlainSink:
    """A spec without preflight and committer."""

    transactional = False
    identity: str | None = None

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Nothing can be wrong."""

    def create_committer(self, context: CommitterContext) -> None:
        """No committer."""


class PrintSpec(PlainSink):
    """Prints to the job's stdout as Flink's ``PrintSinkOutputWriter`` does.

    Args:
        identifier: shown before each line; empty for none.
        type_info: the stream's type, which decides how a value is written.
    """

    def __init__(self, identifier: str, type_info: TypeInformation) -> None:
        self._identifier = identifier
        self._type = type_info

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> PlainWriter:
        """Return a writer to stdout; at parallelism above 1 the subtask's number stands first."""
        words = [self._identifier] if self._identifier else []
        if context.parallelism > 1:
            words.append(str(context.subtask + 1))
        prefix = f"{':'.join(words)}> " if words else ""
        text = printer(self._type)

        def write(value: Any) -> None:
            sys.stdout.write(f"{prefix}{text(value)}\n")

        return PrintWriter(write)


class PrintWriter(PlainWriter):
    """Flushes stdout whenever the job comes to rest: at barriers and at the end."""

    def flush(self) -> None:
        """Flush stdout."""
        sys.stdout.flush()

    def close(self) -> None:
        """Flush stdout."""
        sys.stdout.flush()


class CollectSpec(PlainSink):
    """Hands values to a queue of the same process; only for jobs that run inline.

    Args:
        values: where they go.
        type_info: the stream's type, which values are given.
    """

    def __init__(self, values: queue.Queue[Any], type_info: TypeInformation) -> None:
        self._values = values
        self._type = type_info

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> CollectWriter:
        """Return a writer into the queue."""
        return CollectWriter(self._values, self._type.coercer(), short_floats(self._type))


class CollectWriter(PlainWriter):
    """Holds the job back while the reader of the results is slower; what it hands over is the reader's own."""

    def __init__(self, values: queue.Queue[Any], coerce: Convert, short: Convert | None) -> None:
        put = values.put
        super().__init__(
            (lambda value: put(isolate(coerce(value))))
            if short is None
            else lambda value: put(short(isolate(coerce(value))))
        )
        self._values = values

    def is_available(self) -> bool:
        """Whether the queue has room for a step's worth of values."""
        return self._values.qsize() < 4096

"""``execute_and_collect``: runs the program on a thread and hands its records to the caller as they come."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from wiesel.connectors.collections.sinks import CollectSpec
from wiesel.core.errors import ConfigurationError

if TYPE_CHECKING:
    from wiesel.datastream.data_stream import DataStream

__all__ = ["CloseableIterator", "collect"]


class CloseableIterator:
    """The records of a running job; closing it cancels the job (Flink: ``CloseableIterator``)."""

    def __init__(self, values: queue.Queue[Any], end: object, handle: Any) -> None:
        self._values = values
        self._end = end
        self._handle = handle
        self._over = False

    def __iter__(self) -> CloseableIterator:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """Return the next record; raises ``StopIteration`` at the end and the job's error when it failed."""
        if self._over:
            raise StopIteration("No more data.")
        value = self._values.get()
        if value is self._end:
            self._over = True
            self._handle.result().result()
            raise StopIteration("No more data.")
        return value

    def close(self) -> None:
        """Cancel the job if it still runs, and wait for it."""
        self._over = True
        if not self._handle.result().done():
            self._handle.cancel().result()

    def __enter__(self) -> CloseableIterator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def collect(stream: DataStream, job_name: str | None, limit: int | None) -> CloseableIterator | list[Any]:
    """Run the program of ``stream``; return an iterator over its records, or the first ``limit`` of them."""
    if limit is not None and limit < 1:
        raise ConfigurationError(f"Limit must be greater than 0, got {limit}.")
    values: queue.Queue[Any] = queue.Queue()
    end = object()
    stream._sink("Collect", CollectSpec(values, stream.get_type()))
    handle = stream.get_execution_environment().start_job(job_name or "DataStream Collect")
    handle.result().add_done_callback(lambda _: values.put(end))
    results = CloseableIterator(values, end, handle)
    if limit is None:
        return results
    with results:
        # The range first: one record more than asked for may never come.
        return [value for _, value in zip(range(limit), results, strict=False)]

"""``CompletableFuture``: the result of something under way (mirrors ``pyflink.common.completable_future``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["CompletableFuture"]


class CompletableFuture:
    """A result to wait for.

    Args:
        future: what is waited for.
        convert: turns its result into the one that is returned.
    """

    def __init__(self, future: Future[Any], convert: Callable[[Any], Any] | None = None) -> None:
        self._future = future
        self._convert = convert

    def cancel(self) -> bool:
        """Give up waiting; returns whether that was still possible."""
        return self._future.cancel()

    def cancelled(self) -> bool:
        """Whether it was given up before it was done."""
        return self._future.cancelled()

    def done(self) -> bool:
        """Whether it is over: well, badly or given up."""
        return self._future.done()

    def result(self) -> Any:
        """Wait for the result and return it; raises what went wrong."""
        result = self._future.result()
        return result if self._convert is None else self._convert(result)

    def exception(self) -> BaseException | None:
        """Return what went wrong, or None when nothing has, or not yet."""
        if not self._future.done() or self._future.cancelled():
            return None
        return self._future.exception()

    def __str__(self) -> str:
        state = "Not completed"
        if self._future.cancelled():
            state = "Cancelled"
        elif self._future.done():
            state = "Completed normally" if self._future.exception() is None else "Completed exceptionally"
        return f"CompletableFuture[{state}]"

"""Runs the calls of an async function on an event loop of its own thread: attempts, pauses, timeouts."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from wiesel.core.async_functions import AsyncFunction, AsyncRetryStrategy
from wiesel.runtime.operators.async_queues import Entry

#: Seconds that ``close`` waits for the loop to end; a coroutine that blocks it is left behind on its daemon thread.
_CLOSE_TIMEOUT: Final = 5.0


class AsyncCalls:
    """One event loop, and the calls under way on it.

    Args:
        function: the user's function.
        retry_strategy: when attempts are repeated.
        timeout_ms: how long all attempts for a record may take; 0 is for ever.
        done: called on the loop's thread with the entry and its results, or the error that ended the attempts.
        name: for the thread.
    """

    def __init__(
        self,
        function: AsyncFunction[Any, Any],
        retry_strategy: AsyncRetryStrategy[Any],
        timeout_ms: int,
        done: Callable[[Entry, list[Any] | BaseException], None],
        name: str,
    ) -> None:
        self._function = function
        self._strategy = retry_strategy
        predicate = retry_strategy.get_retry_predicate()
        self._repeats_result = predicate.result_predicate()
        self._repeats_exception = predicate.exception_predicate()
        self._timeout = timeout_ms / 1000 if timeout_ms > 0 else None
        self._done = done
        self._incoming: deque[Entry] = deque()
        self._notified = False
        self._closing = False
        self._calls: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"wiesel-async-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._cancel_everything())
        finally:
            self._loop.close()

    async def _cancel_everything(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def begin(self, entry: Entry) -> None:
        """Call the function for a record; from the task thread."""
        self._incoming.append(entry)
        if not self._notified:  # one message to the loop for many records
            self._notified = True
            self._loop.call_soon_threadsafe(self._begin_incoming)

    def _begin_incoming(self) -> None:
        self._notified = False
        while self._incoming:
            call = self._loop.create_task(self._call(self._incoming.popleft()))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, entry: Entry) -> None:
        try:
            outcome: list[Any] | BaseException = await self._within_timeout(entry.value)
        except asyncio.CancelledError:
            if self._closing:
                raise
            outcome = RuntimeError(f"{type(self._function).__name__} cancelled itself when asked for {entry.value!r}.")
        except Exception as error:
            error.add_note(f"{type(self._function).__name__} was asked for {entry.value!r}.")
            outcome = error
        self._done(entry, outcome)

    async def _within_timeout(self, value: Any) -> list[Any]:
        if self._timeout is None:
            return self._checked(await self._attempts(value))
        attempts = self._loop.create_task(self._attempts(value))
        try:
            finished, _ = await asyncio.wait({attempts}, timeout=self._timeout)
        except asyncio.CancelledError:
            attempts.cancel()
            raise
        if finished:
            return self._checked(attempts.result())
        attempts.add_done_callback(_forget)
        attempts.cancel()
        return self._checked(self._function.timeout(value))

    async def _attempts(self, value: Any) -> Any:
        attempt = 1
        while True:
            try:
                results = await self._function.async_invoke(value)
            except Exception as error:
                repeats = self._repeats_exception
                if repeats is None or not repeats(error) or not self._strategy.can_retry(attempt):
                    raise
            else:
                wanted = self._repeats_result
                if wanted is None or not wanted(results) or not self._strategy.can_retry(attempt):
                    return results
            await asyncio.sleep(self._strategy.get_backoff_time_millis(attempt) / 1000)
            attempt += 1

    def _checked(self, results: Any) -> list[Any]:
        if not isinstance(results, Iterable):
            what = "cannot be None" if results is None else f"should be a list, got {type(results).__name__}"
            raise TypeError(
                f"The result of an AsyncFunction {what}: check async_invoke() and timeout() of "
                f"{type(self._function).__name__}."
            )
        return list(results)

    def close(self) -> None:
        """Cancel the calls under way and end the thread."""
        self._closing = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_TIMEOUT)


def _forget(attempts: asyncio.Task[Any]) -> None:
    """Look at how attempts that came too late ended, so that asyncio does not complain that nobody did."""
    if not attempts.cancelled():
        attempts.exception()

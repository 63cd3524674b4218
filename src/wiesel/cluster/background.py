"""I/O threads: run what may wait, and hand results back to the thread that drives the job."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from wiesel.core.host import host


class Background:
    """A few threads whose results come back through the job's mailbox.

    Args:
        post: puts a callable into the mailbox, from any thread.
        threads: how many.
        name: shown in thread names.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], threads: int, name: str) -> None:
        self._post = post
        self._pool = host().executor(threads, name)

    def run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run ``work`` on a thread; later, on the driving thread, call ``done`` with its result or its exception."""

        def finished(future: Future[Any]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            result = error if error is not None else future.result()
            self._post(lambda: done(result))

        self._pool.submit(work).add_done_callback(finished)

    def close(self, wait: bool) -> None:
        """End the threads: after everything they were given, or without waiting for what they do now."""
        self._pool.shutdown(wait=wait, cancel_futures=not wait)

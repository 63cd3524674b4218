"""Writes batches to the database on a thread of its own, which alone holds the connection."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from wiesel.connectors.jdbc.drivers import Driver
from wiesel.core.errors import ConnectionFailedError

_log = logging.getLogger("wiesel.connectors.jdbc")

#: Full batches that may wait for the database before the job is held back.
MAX_WAITING: Final = 4
_RETRY_SECONDS: Final = 1.0

Record = Sequence[Any]


class BatchThread:
    """Takes batches in order and writes each in one transaction.

    Args:
        driver: how to connect.
        sql: the statement in the driver's style.
        max_retries: how often a failed batch is tried again, a little later each time, on a new connection.
        name: the operator's name for messages.
        fail: told the error that ended the thread.
    """

    def __init__(
        self, driver: Driver, sql: str, max_retries: int, name: str, fail: Callable[[BaseException], None]
    ) -> None:
        self._driver = driver
        self._sql = sql
        self._max_retries = max_retries
        self._name = name
        self._fail = fail
        self._connection: Any = None
        self._changed = threading.Condition()
        self._batches: deque[list[Record]] = deque()
        self._writing = False
        self._error: BaseException | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wiesel-jdbc-{name}", daemon=True)
        self._thread.start()

    def put(self, batch: list[Record]) -> None:
        """Hand over a batch."""
        with self._changed:
            self._batches.append(batch)
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many batches the database has not taken yet."""
        return len(self._batches)

    def drain(self) -> None:
        """Wait until everything handed over is committed.

        Raises:
            ConnectionFailedError: it could not be written; its cause is the driver's error.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or not (self._batches or self._writing))
            if self._error is not None:
                raise self._error

    def close(self) -> None:
        """End the thread; what was not drained is dropped."""
        self._closing.set()
        with self._changed:
            self._batches.clear()
            self._changed.notify_all()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            while (batch := self._take()) is not None:
                self._write(batch)
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
            self._fail(error)
        finally:
            self._disconnect()

    def _take(self) -> list[Record] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._closing.is_set())
            if self._closing.is_set():
                return None
            self._writing = True
            return self._batches.popleft()

    def _write(self, batch: list[Record]) -> None:
        for attempt in range(self._max_retries + 1):
            try:
                self._write_once(batch)
                return
            except self._driver.errors as error:
                self._disconnect()
                if attempt == self._max_retries:
                    raise ConnectionFailedError(
                        f"{self._name}: {len(batch)} records could not be written to the database, tried "
                        f"{attempt + 1} times: {error}"
                    ) from error
                _log.warning("%s: writing %d records failed, trying again: %s", self._name, len(batch), error)
                if self._closing.wait(_RETRY_SECONDS * (attempt + 1)):
                    return

    def _write_once(self, batch: list[Record]) -> None:
        if self._connection is None:
            self._connection = self._driver.connect()
        cursor = self._connection.cursor()
        try:
            cursor.executemany(self._sql, batch)
        finally:
            cursor.close()
        self._connection.commit()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except self._driver.errors as error:
                _log.debug("%s: closing the connection failed: %s", self._name, error)

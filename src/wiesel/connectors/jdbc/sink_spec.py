"""The JDBC sink as inert data of the job graph (Flink: ``JdbcSink``)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wiesel.connectors.jdbc.batches import MAX_WAITING, BatchThread, Record
from wiesel.connectors.jdbc.drivers import driver_for
from wiesel.connectors.jdbc.options import JdbcConnection, JdbcExecution
from wiesel.connectors.jdbc.statement import translate
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable, CommitterContext, JobFacts, Json, SinkContext
from wiesel.core.errors import ConfigurationError, ConnectionFailedError
from wiesel.core.row import matched
from wiesel.core.types import RowTypeInfo


@dataclass(frozen=True, slots=True)
class JdbcSinkSpec:
    """Runs a statement for each row, in batches; everything is written before a checkpoint is complete.

    Records since the last checkpoint are written again after a failure (at-least-once): use a statement that may run
    twice, such as an upsert.

    Args:
        sql: with ``?`` for each field.
        row_type: the rows' type.
        connection: where the database is.
        execution: sizes of batches, retries.
    """

    sql: str
    row_type: RowTypeInfo
    connection: JdbcConnection
    execution: JdbcExecution

    @property
    def transactional(self) -> bool:
        """No committer publishes the output."""
        return False

    @property
    def identity(self) -> str | None:
        """Nothing."""
        return None

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Check that the parameters fit the row and that the database answers."""
        driver = driver_for(self.connection.url, self.connection.user_name, self.connection.password)
        _, parameters = translate(self.sql, driver.paramstyle)
        fields = len(self.row_type.get_field_types())
        if parameters != fields:
            raise ConfigurationError(
                f"JdbcSink: the statement has {parameters} parameters ('?') and the row type has {fields} fields: "
                f"{self.sql}"
            )
        try:
            driver.connect().close()
        except driver.errors as error:
            raise ConnectionFailedError(f"JdbcSink: {self.connection.url} does not answer: {error}") from error

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> JdbcWriter:
        """Return a writer with a connection of its own."""
        return JdbcWriter(self, context)

    def create_committer(self, context: CommitterContext) -> None:
        """No committer."""


class JdbcWriter:
    """Collects batches; a thread writes them.

    Args:
        spec: the sink.
        context: the engine's.
    """

    def __init__(self, spec: JdbcSinkSpec, context: SinkContext) -> None:
        driver = driver_for(spec.connection.url, spec.connection.user_name, spec.connection.password)
        sql, _ = translate(spec.sql, driver.paramstyle)
        self._convert = driver.convert
        self._coerce, self._names = spec.row_type.coercer(), spec.row_type.get_field_names()
        self._size = spec.execution.batch_size or float("inf")
        self._batches = BatchThread(driver, sql, spec.execution.max_retries, context.operator_name, context.fail)
        self._lock = threading.Lock()
        self._batch: list[Record] = []
        self._count = 0
        self._stopped = threading.Event()
        self._interval = spec.execution.batch_interval_ms / 1000
        if self._interval:
            threading.Thread(target=self._hand_over_periodically, name="wiesel-jdbc-timer", daemon=True).start()

    def _hand_over_periodically(self) -> None:
        while not self._stopped.wait(self._interval):
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            batch, self._batch = self._batch, []
            if batch:
                self._batches.put(batch)

    def write(self, value: Any, timestamp: int) -> None:
        """Add one row to the batch."""
        record = tuple(map(self._convert, self._coerce(matched(value, self._names))))
        with self._lock:
            self._batch.append(record)
            full = len(self._batch) >= self._size
        self._count += 1
        if full:
            self._hand_over()

    def is_available(self) -> bool:
        """Whether the database keeps up."""
        return self._batches.waiting() < MAX_WAITING

    def flush(self) -> None:
        """Wait until the database has committed every row."""
        self._hand_over()
        self._batches.drain()

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Nothing is left to commit."""
        return ()

    def snapshot(self) -> Json | None:
        """No state."""
        return None

    def records_written(self) -> int:
        """Return how many rows were taken."""
        return self._count

    def close(self) -> None:
        """End the threads and the connection."""
        self._stopped.set()
        self._batches.close()

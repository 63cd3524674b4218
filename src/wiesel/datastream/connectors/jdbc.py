"""Rows into a database (``pyflink.datastream.connectors.jdbc``; Flink docs: "JDBC Connector")."""

from __future__ import annotations

from typing import Any

from wiesel.connectors.jdbc.drivers import driver_for
from wiesel.connectors.jdbc.options import JdbcConnection, JdbcExecution
from wiesel.connectors.jdbc.sink_spec import JdbcSinkSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.types import RowTypeInfo
from wiesel.datastream.functions import SinkFunction

__all__ = ["JdbcConnectionOptions", "JdbcExecutionOptions", "JdbcSink"]


class JdbcSink(SinkFunction):
    """Runs a statement for each row, at least once, in batches (Flink: ``JdbcSink``).

    Example::

        stream.add_sink(
            JdbcSink.sink(
                "INSERT INTO counts (word, n) VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET n = excluded.n",
                Types.ROW([Types.STRING(), Types.LONG()]),
                JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url("jdbc:sqlite:counts.db").build(),
            )
        )

    Args:
        sink_func: the spec that ``sink`` made.
    """

    def __init__(self, sink_func: Any) -> None:
        super().__init__(sink_func)

    @staticmethod
    def sink(
        sql: str,
        type_info: RowTypeInfo,
        jdbc_connection_options: JdbcConnectionOptions,
        jdbc_execution_options: JdbcExecutionOptions | None = None,
    ) -> JdbcSink:
        """Return the sink.

        Args:
            sql: any statement that changes data, with ``?`` for the fields of the row, in order.
            type_info: the rows' type.
            jdbc_connection_options: where the database is.
            jdbc_execution_options: sizes of batches and retries; the defaults when None.
        """
        if not isinstance(type_info, RowTypeInfo):
            raise TypeError(f"JdbcSink takes rows, so type_info must be a Types.ROW([...]), got {type_info!r}")
        execution = jdbc_execution_options or JdbcExecutionOptions.defaults()
        return JdbcSink(JdbcSinkSpec(sql, type_info, jdbc_connection_options.connection, execution.execution))


class JdbcConnectionOptions:
    """Where the database is; made by its builder.

    Args:
        connection: the connector's data.
    """

    def __init__(self, connection: JdbcConnection) -> None:
        self.connection = connection

    def get_db_url(self) -> str:
        """Return the JDBC URL."""
        return self.connection.url

    def get_driver_name(self) -> str | None:
        """Return the Java class of the driver; Python's driver follows from the URL."""
        return self.connection.driver_name

    def get_user_name(self) -> str | None:
        """Return who writes."""
        return self.connection.user_name

    def get_password(self) -> str | None:
        """Return the password."""
        return self.connection.password

    class JdbcConnectionOptionsBuilder:
        """Builds the options; needs a URL."""

        def __init__(self) -> None:
            self._url: str | None = None
            self._driver_name: str | None = None
            self._user_name: str | None = None
            self._password: str | None = None

        def with_url(self, url: str) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """Set the URL: ``jdbc:sqlite:FILE``, ``jdbc:postgresql://host:port/db`` or ``jdbc:mysql://host:port/db``."""
            self._url = url
            return self

        def with_driver_name(self, driver_name: str) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """Set the Java class of the driver, for Flink; it has no meaning here."""
            self._driver_name = driver_name
            return self

        def with_user_name(self, user_name: str) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """Set who writes."""
            self._user_name = user_name
            return self

        def with_password(self, password: str) -> JdbcConnectionOptions.JdbcConnectionOptionsBuilder:
            """Set the password."""
            self._password = password
            return self

        def build(self) -> JdbcConnectionOptions:
            """Return the options.

            Raises:
                ConfigurationError: there is no URL, or none that a driver is known and installed for.
            """
            if not self._url:
                raise ConfigurationError("JdbcConnectionOptions needs with_url('jdbc:…').")
            driver_for(self._url, self._user_name, self._password)
            return JdbcConnectionOptions(JdbcConnection(self._url, self._driver_name, self._user_name, self._password))


class JdbcExecutionOptions:
    """How batches are written; made by its builder.

    Args:
        execution: the connector's data.
    """

    def __init__(self, execution: JdbcExecution) -> None:
        self.execution = execution

    def get_batch_interval_ms(self) -> int:
        """Return the milliseconds after which a batch is written even if it is not full; 0 for never."""
        return self.execution.batch_interval_ms

    def get_batch_size(self) -> int:
        """Return the number of records in a batch."""
        return self.execution.batch_size

    def get_max_retries(self) -> int:
        """Return how often a failed batch is tried again."""
        return self.execution.max_retries

    @staticmethod
    def defaults() -> JdbcExecutionOptions:
        """Return batches of 5000, no interval, 3 retries."""
        return JdbcExecutionOptions(JdbcExecution())

    @staticmethod
    def builder() -> JdbcExecutionOptions.Builder:
        """Return a builder."""
        return JdbcExecutionOptions.Builder()

    class Builder:
        """Builds the options."""

        def __init__(self) -> None:
            self._options: dict[str, int] = {}

        def with_batch_size(self, size: int) -> JdbcExecutionOptions.Builder:
            """Set the number of records in a batch."""
            self._options["batch_size"] = size
            return self

        def with_batch_interval_ms(self, interval_ms: int) -> JdbcExecutionOptions.Builder:
            """Set the milliseconds after which a batch is written even if it is not full; 0 for never."""
            self._options["batch_interval_ms"] = interval_ms
            return self

        def with_max_retries(self, max_retries: int) -> JdbcExecutionOptions.Builder:
            """Set how often a failed batch is tried again."""
            self._options["max_retries"] = max_retries
            return self

        def build(self) -> JdbcExecutionOptions:
            """Return the options."""
            return JdbcExecutionOptions(JdbcExecution(**self._options))

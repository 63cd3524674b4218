"""How to reach the database and how to write batches (Flink: ``JdbcConnectionOptions``, ``JdbcExecutionOptions``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wiesel.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class JdbcConnection:
    """Where the database is.

    Args:
        url: a JDBC URL.
        driver_name: a Java class, which is of no use here.
        user_name: who writes.
        password: never shown.
    """

    url: str
    driver_name: str | None = None
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class JdbcExecution:
    """How batches are written.

    Args:
        batch_interval_ms: milliseconds after which a batch is written even if it is not full; 0 for never.
        batch_size: records of a batch; 0 for no limit.
        max_retries: how often a failed batch is tried again.
    """

    batch_interval_ms: int = 0
    batch_size: int = 5000
    max_retries: int = 3

    def __post_init__(self) -> None:
        for name in ("batch_interval_ms", "batch_size", "max_retries"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ConfigurationError(f"JdbcExecutionOptions: {name} must be a number from 0, got {value!r}.")

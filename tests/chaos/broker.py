"""A broker that can be killed, too."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wiesel.broker.local import LocalBroker

#: It gives timed-out transactions up within half a second instead of ten.
_PROPERTIES: Final = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500"}


class Broker:
    """A real Kafka in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._broker = LocalBroker.start(directory, properties=_PROPERTIES)

    @property
    def servers(self) -> str:
        """Its address, the same for its whole life."""
        return self._broker.bootstrap_servers

    @property
    def kafka_version(self) -> str:
        """As in 4.3.1."""
        return self._broker.kafka_version

    def bounce(self) -> None:
        """SIGKILL, and start it again on what it left; returns when it answers."""
        port = self._broker.port
        self._broker.kill()
        self._broker = LocalBroker.start(self._broker.directory, port, _PROPERTIES)

    def stop(self) -> None:
        """End it; what it kept stays in its directory."""
        self._broker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

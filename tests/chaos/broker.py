"""A broker that can be killed, too, or several."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wiesel.broker import LocalBroker, LocalCluster

#: It gives timed-out transactions up within half a second instead of ten.
_PROPERTIES: Final = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500"}


class Broker:
    """A real Kafka in a directory of its own: one broker, or a cluster of several."""

    def __init__(self, directory: Path, brokers: int = 1) -> None:
        self._broker: LocalBroker | LocalCluster
        if brokers > 1:
            self._broker = LocalCluster.start(directory, brokers, properties=_PROPERTIES)
        else:
            self._broker = LocalBroker.start(directory, properties=_PROPERTIES)
        self._bounces = 0

    @property
    def servers(self) -> str:
        """Its address, the same for its whole life."""
        return self._broker.bootstrap_servers

    @property
    def kafka_version(self) -> str:
        """As in 4.3.1."""
        return self._broker.kafka_version

    def bounce(self) -> None:
        """SIGKILL one broker, each in turn, and start it again on what it left; returns when it answers."""
        if isinstance(self._broker, LocalCluster):
            numbers = list(self._broker.brokers)
            number = numbers[self._bounces % len(numbers)]
            self._bounces += 1
            self._broker.kill(number)
            self._broker.restart(number)
            return
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

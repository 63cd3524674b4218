"""A real Apache Kafka on this machine: start, find, stop. One object is one running broker."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from wiesel.broker.directory import BrokerDirectory, BrokerState
from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.broker.properties import client_listeners, parse_properties
from wiesel.broker.start import Starter, silent
from wiesel.broker.wanted import Wanted
from wiesel.java import process
from wiesel.java.jars import Report

STOP_SECONDS = 15.0


class LocalBroker:
    """
    A running single-node Kafka (KRaft) of this machine.

    Made by `start` or `find`; as a context manager it stops the broker at the end. The process does not depend on the
    one that started it.
    """

    def __init__(self, directory: Path, state: BrokerState, child: subprocess.Popen[bytes] | None = None) -> None:
        self.directory = directory
        self._state = state
        self._child = child

    @classmethod
    def start(
        cls,
        dir: Path,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        *,
        version: str | None = None,
        report: Report = silent,
    ) -> Self:
        """
        Start the broker of `dir`, or find it if it runs already; returns when it answers.

        Args:
            dir: the broker's directory, made if needed; data of an earlier run are used again.
            port: of the plaintext listener on 127.0.0.1; 0 takes a free one (or the one that it runs on).
            properties: Kafka broker properties that win over our defaults.
            version: of Kafka, as in `3.9` or `4.3.1`; None takes the one that made the data, else ours.
            report: told about downloads and steps.
        """
        home = BrokerDirectory(Path(dir).absolute())
        return cls._started(home, Wanted(port, dict(properties or {}), version), report)

    @classmethod
    def _started(cls, home: BrokerDirectory, wanted: Wanted, report: Report) -> Self:
        state, child = Starter(home, wanted, report).run()
        return cls(home.root, state, child)

    @classmethod
    def start_node(cls, dir: Path, wanted: Wanted, report: Report) -> Self:
        """Start one node of a cluster; returns when it answers, which takes a quorum of its controllers."""
        return cls._started(BrokerDirectory(Path(dir).absolute()), wanted, report)

    @classmethod
    def find(cls, dir: Path) -> Self | None:
        """The broker that runs in `dir`, or None."""
        home = BrokerDirectory(Path(dir).absolute())
        state = home.read_state() if process.is_held(home.lock) else None
        return cls(home.root, state) if state else None

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of the first client listener."""
        return self._state.bootstrap_servers

    @property
    def port(self) -> int:
        """Port of the first client listener."""
        return int(self.bootstrap_servers.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Process id of the JVM."""
        return self._state.pid

    @property
    def kafka_version(self) -> str:
        """Version of Apache Kafka, as in `4.3.1`."""
        return self._state.kafka_version

    @property
    def listeners(self) -> dict[str, str]:
        """Name → `host:port` of each client listener (several if `listeners` was overridden)."""
        text = BrokerDirectory(self.directory).properties.read_text(encoding="utf-8")
        return {one.name: one.address for one in client_listeners(parse_properties(text))}

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        found = LocalBroker.find(self.directory)
        return found is not None and found.pid == self.pid

    def stop(self, delete: bool = False) -> bool:
        """
        Stop cleanly: SIGTERM, and SIGKILL after 15 s; nothing is left running. `delete` removes the data too.

        Returns whether the broker ended by itself, without SIGKILL.
        """
        return self._end(STOP_SECONDS, delete)

    def kill(self) -> None:
        """SIGKILL, for tests of faults. The data stay, for `LocalBroker.start(broker.directory, broker.port)`."""
        self._end(0, delete=False)

    def _end(self, grace_seconds: float, delete: bool) -> bool:
        home = BrokerDirectory(self.directory)
        clean = not self.is_running or process.end(self.pid, home.lock, self._child, grace_seconds)
        if self._child is not None:
            self._child.wait()  # somebody else may have ended it
        _tidy(home, delete)
        return clean

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def stop_broker(dir: Path, delete: bool = False) -> LocalBroker | None:
    """
    Stop the broker of `dir`, if one runs, and return it; `delete` removes its data in any case.

    Raises BrokerError while another process is still starting it, or if `delete` is asked for what is not a broker's.
    """
    home = BrokerDirectory(Path(dir).absolute())
    broker = LocalBroker.find(home.root)
    if broker is not None:
        broker.stop(delete)
    elif process.is_held(home.lock):
        raise BrokerError(f"another process is starting the broker of {home.root}: try again when it has.")
    elif delete and home.root.exists():
        if not home.lock.exists():
            raise BrokerConfigurationError(f"{home.root} is no broker's directory, and was left alone; check --dir.")
        _tidy(home, delete)
    return broker


def _tidy(home: BrokerDirectory, delete: bool) -> None:
    """Remove what a broker that ended leaves behind, unless somebody has started it again in the meantime."""
    lock = process.LifeLock(home.lock)
    if lock.acquire():
        home.clear_state()
        if delete:
            home.delete()
        lock.close()

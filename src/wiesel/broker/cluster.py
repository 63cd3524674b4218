"""A real Apache Kafka of several brokers on this machine: start, find, stop, and kill one of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from wiesel.broker.distribution import install
from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.broker.jvm import cluster_id
from wiesel.broker.layout import MOST_BROKERS, ClusterDirectory, ClusterLayout, choose_listeners
from wiesel.broker.local import LocalBroker, stop_broker
from wiesel.broker.probe import is_taken
from wiesel.broker.properties import client_listeners, node_properties
from wiesel.broker.start import silent
from wiesel.broker.wanted import Wanted, version_for
from wiesel.java.jars import Report


class LocalCluster:
    """
    A running Kafka (KRaft) of several brokers, numbered from 1.

    The first three are controllers too: as processes of their own those would double the memory, and a quorum of three
    survives the loss of one either way. Made by `start` or `find`; as a context manager it stops all brokers.
    """

    def __init__(self, home: ClusterDirectory, layout: ClusterLayout, started: Mapping[int, LocalBroker]) -> None:
        self._home = home
        self._layout = layout
        self._started = dict(started)  # they hold their child processes, which only their parent can reap

    @classmethod
    def start(
        cls,
        dir: Path,
        brokers: int = 3,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        *,
        version: str | None = None,
        report: Report = silent,
    ) -> Self:
        """
        Start the brokers of `dir` that do not run; returns when all of them answer.

        Args:
            dir: the cluster's directory, made if needed; data of an earlier run are used again.
            brokers: how many; a cluster keeps its number.
            port: of the first broker, the others follow; 0 takes free ones (or those that they run on).
            properties: Kafka broker properties that win over our defaults, on every broker.
            version: of Kafka, as in `3.9`; None takes the one that made the data, else ours.
            report: told about downloads and steps.
        """
        if not 1 < brokers <= MOST_BROKERS:
            raise BrokerConfigurationError(f"a local cluster has 2 to {MOST_BROKERS} brokers, not {brokers}.")
        home = ClusterDirectory(Path(dir).absolute())
        home.create()
        with home.starting():
            layout = _layout(home, brokers, port, dict(properties or {}), version)
            install(report, layout.kafka_version)  # once, before its nodes do the same side by side
            missing = [number for number in layout.listeners if LocalBroker.find(home.node(number)) is None]
            cluster = cls(home, layout, {})
            try:
                cluster._start_nodes(missing, report)
            except BaseException:
                for number in missing:
                    stop_broker(home.node(number))
                raise
        return cluster

    @classmethod
    def find(cls, dir: Path) -> Self | None:
        """The cluster of `dir` of which at least one broker runs, or None."""
        home = ClusterDirectory(Path(dir).absolute())
        layout = home.read()
        cluster = cls(home, layout, {}) if layout else None
        return cluster if cluster and any(cluster.brokers.values()) else None

    @property
    def directory(self) -> Path:
        """The cluster's directory."""
        return self._home.root

    @property
    def kafka_version(self) -> str:
        """Version of Apache Kafka, as in `4.3.1`."""
        return self._layout.kafka_version

    @property
    def brokers(self) -> dict[int, LocalBroker | None]:
        """Number → the broker, None for one that does not run."""
        return {number: self._broker(number) for number in self._layout.listeners}

    @property
    def addresses(self) -> dict[int, str]:
        """Number → `host:port` of its first client listener, whether it runs or not."""
        result = {}
        for number in self._layout.listeners:
            properties = node_properties(self._home.node(number), self._layout.node(number), self._layout.properties)
            result[number] = client_listeners(properties)[0].address
        return result

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, so that a client finds the cluster whichever of them is down."""
        return ",".join(self.addresses.values())

    @property
    def port(self) -> int:
        """Port of the first broker."""
        return int(self.addresses[1].rpartition(":")[2])

    def kill(self, number: int) -> None:
        """SIGKILL one broker. Its data stay, for `restart`."""
        broker = self._broker(number)
        if broker is not None:
            broker.kill()

    def restart(self, number: int, report: Report = silent) -> LocalBroker:
        """Stop one broker cleanly if it runs, and start it where it was; returns when it answers."""
        broker = self._broker(number)
        if broker is not None:
            broker.stop()
        self._start_nodes([number], report)
        return self._started[number]

    def stop(self, delete: bool = False) -> None:
        """Stop all brokers at once; nothing is left running. `delete` removes the data too."""
        # What is to be removed need not be handed over: a quorum that ends together takes five seconds for it.
        end = LocalBroker.kill if delete else LocalBroker.stop
        with ThreadPoolExecutor(len(self._layout.listeners)) as pool:
            list(pool.map(end, [broker for broker in self.brokers.values() if broker is not None]))
        if delete:
            for number in self._layout.listeners:
                stop_broker(self._home.node(number), delete=True)
            self._home.delete()

    def _broker(self, number: int) -> LocalBroker | None:
        if number not in self._layout.listeners:
            raise BrokerConfigurationError(
                f"there is no broker {number}; the brokers of {self._home.root} are 1 to {len(self._layout.listeners)}."
            )
        found = LocalBroker.find(self._home.node(number))
        started = self._started.get(number)
        if started is None or (found is not None and found.pid == started.pid):
            return started or found
        del self._started[number]
        started.stop()  # somebody else has ended it: only what it leaves of this process is taken back
        return found

    def _start_nodes(self, numbers: list[int], report: Report) -> None:
        def start(number: int) -> LocalBroker:
            layout = self._layout
            wanted = Wanted(
                overrides={key: value for key, value in layout.properties.items() if key != "listeners"},
                version=layout.kafka_version,
                node=layout.node(number),
                cluster_id=layout.cluster_id,
            )
            return LocalBroker.start_node(self._home.node(number), wanted, report)

        if not numbers:
            return
        # Side by side: none of them answers before there is a quorum.
        with ThreadPoolExecutor(len(numbers)) as pool:
            self._started.update(zip(numbers, pool.map(start, numbers), strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def find_running(dir: Path) -> LocalBroker | LocalCluster | None:
    """The lone broker or the cluster that runs in `dir`, or None."""
    return LocalCluster.find(dir) or LocalBroker.find(dir)


def stop_running(dir: Path, delete: bool = False) -> LocalBroker | LocalCluster | None:
    """Stop the lone broker or the cluster of `dir` and return what ran; `delete` removes its data in any case."""
    home = ClusterDirectory(Path(dir).absolute())
    layout = home.read()
    if layout is None:
        return stop_broker(dir, delete)
    found = LocalCluster.find(dir)
    LocalCluster(home, layout, {}).stop(delete)
    return found


def _layout(
    home: ClusterDirectory, brokers: int, port: int, properties: dict[str, str], version: str | None
) -> ClusterLayout:
    """The layout that is there while any node runs; else a new one, on the data that are there."""
    known = home.read()
    if known is not None and len(known.listeners) != brokers:
        raise BrokerConfigurationError(
            f"the cluster of {home.root} has {len(known.listeners)} brokers, not {brokers}; "
            "`wiesel kafka down --delete` removes it, another --dir makes a second one."
        )
    wanted_version = version_for(version, known.kafka_version if known else None)
    if known is not None and any(LocalBroker.find(home.node(number)) for number in known.listeners):
        _refuse_difference(home, known, port, properties, wanted_version)
        return known
    listeners = choose_listeners(brokers, port, properties)
    layout = ClusterLayout(
        wanted_version, known.cluster_id if known else cluster_id(uuid.uuid4().bytes), listeners, properties
    )
    if port and (taken := [one for one in range(port, port + brokers) if is_taken("127.0.0.1", one)]):
        raise BrokerConfigurationError(
            f"port {taken[0]} of 127.0.0.1 is in use by another program (another broker?); "
            "choose others with --port, or --port 0 for free ones."
        )
    home.write(layout)
    return layout


def _refuse_difference(
    home: ClusterDirectory, known: ClusterLayout, port: int, properties: Mapping[str, str], version: str
) -> None:
    different = sorted(key for key, value in properties.items() if known.properties.get(key) != value)
    if version != known.kafka_version:
        different.append("version")
    running = LocalCluster(home, known, {})
    if port and port != running.port:
        different.append("port")
    if different:
        raise BrokerError(
            f"the cluster of {home.root} runs with another {', '.join(different)}; `wiesel kafka down` stops it, "
            "then `up` starts it with yours."
        )


def brokers_of(dir: Path) -> int:
    """How many brokers the cluster of `dir` has, running or not; 0 if it is no cluster's directory."""
    layout = ClusterDirectory(Path(dir).absolute()).read()
    return len(layout.listeners) if layout else 0

"""The directory of a local cluster: which nodes there are and where they listen, as `up` left it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from wiesel.broker.directory import BrokerDirectory
from wiesel.broker.errors import BrokerConfigurationError
from wiesel.broker.probe import free_port
from wiesel.broker.properties import HOST, Node, chosen_listeners, parse_controller
from wiesel.java.cache import exclusive

#: More controllers than these would not survive more: a quorum of three does without one of them.
CONTROLLERS: Final = 3
MOST_BROKERS: Final = 9


@dataclass(frozen=True)
class ClusterLayout:
    """
    What the nodes of a cluster have in common, and where each listens.

    Args:
        kafka_version: of all nodes.
        cluster_id: with which all of them were formatted.
        listeners: node id → its `listeners`; they stay while any node runs, so that one can be started again alone.
        properties: what the user overrides, on all nodes.
    """

    kafka_version: str
    cluster_id: str
    listeners: Mapping[int, str]
    properties: Mapping[str, str]

    @property
    def voters(self) -> dict[int, str]:
        """Node id → address of its controller."""
        found = {number: parse_controller(listeners) for number, listeners in self.listeners.items()}
        return {number: address for number, address in found.items() if address}

    def node(self, number: int) -> Node:
        """One node, as its properties need it."""
        return Node(number, len(self.listeners), self.listeners[number], self.voters)


def choose_listeners(brokers: int, port: int, overrides: Mapping[str, str]) -> dict[int, str]:
    """
    Listeners for each node: `port`, `port` + 1, … (0: free ones), and a free port for each controller.

    The first three nodes are controllers too; with two nodes only the first is, since a quorum of two survives nothing.
    """
    chosen: set[int] = set()

    def another_port() -> int:
        while (found := free_port()) in chosen:
            pass
        chosen.add(found)
        return found

    controllers = CONTROLLERS if brokers >= CONTROLLERS else 1
    result = {}
    for number in range(1, brokers + 1):
        plain = f"PLAINTEXT://{HOST}:{port + number - 1 if port else 0}"
        listeners = overrides.get("listeners", plain)
        if "listeners" in overrides and listeners.count(":0,") + listeners.endswith(":0") <= listeners.count(","):
            raise BrokerConfigurationError(
                "listeners: the nodes of a cluster cannot share a port; write port 0 for each, as in "
                f"-c listeners=PLAINTEXT://{HOST}:0,SASL_SSL://{HOST}:0."
            )
        result[number] = chosen_listeners(listeners, another_port, controller=number <= controllers)
    return result


@dataclass(frozen=True)
class ClusterDirectory:
    """Paths inside a cluster's directory: one broker's directory a node, and what they have in common."""

    root: Path

    def node(self, number: int) -> Path:
        """The directory of one node."""
        return self.root / f"broker-{number}"

    @property
    def _layout(self) -> Path:
        return self.root / "cluster.json"

    def create(self) -> None:
        """Make the directory, private to the user. One that holds anything else is refused."""
        if not self._layout.exists():
            # The rules are the same, and a lone broker's directory is told apart by its lock.
            if BrokerDirectory(self.root).lock.exists():
                raise BrokerConfigurationError(
                    f"{self.root} is a lone broker's; give --dir a new directory for a cluster."
                )
            BrokerDirectory(self.root).create()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Hold while starting: of several processes that start a cluster at once, one does and the others find it."""
        with exclusive(self.root):
            yield

    def read(self) -> ClusterLayout | None:
        """The layout that was written last, None if this is no cluster's directory."""
        try:
            found = json.loads(self._layout.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        found["listeners"] = {int(number): listeners for number, listeners in found["listeners"].items()}
        return ClusterLayout(**found)

    def write(self, layout: ClusterLayout) -> None:
        """Write the layout by rename; it is private, since properties may be secret."""
        temporary = self.root / ".cluster.json"
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump(asdict(layout), file)
        temporary.replace(self._layout)

    def delete(self) -> None:
        """Remove what a cluster makes, after its nodes, and the directory itself if that leaves it empty."""
        for name in ("cluster.json", ".cluster.json", ".lock"):
            (self.root / name).unlink(missing_ok=True)
        if self.root.exists() and not any(self.root.iterdir()):
            self.root.rmdir()

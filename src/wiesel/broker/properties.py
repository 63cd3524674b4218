"""The broker's properties: what suits one laptop, what the user overrides, and what follows from both. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wiesel.broker.errors import BrokerConfigurationError

HOST = "127.0.0.1"
CONTROLLER = "CONTROLLER"
NODE_ID = "1"

LAPTOP_DEFAULTS: Mapping[str, str] = {
    # The internal topics are created at first use, 50 partitions each by default, and the first client waits for it.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    # A lone consumer has nobody to wait for.
    "group.initial.rebalance.delay.ms": "0",
    # Kafka's default creates a topic for every typing error; here an unknown topic is an error that can be seen.
    "auto.create.topics.enable": "false",
    # A broker that was killed may register again only when its old session has expired, 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Threads and buffers of a server with many disks and clients; the dedupe buffer alone would be 128 MiB of heap.
    "background.threads": "4",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "group.coordinator.threads": "1",
    "group.coordinator.background.threads": "1",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "remote.log.reader.threads": "1",
}

_LISTENER = re.compile(r"(?P<name>[^:/]+)://(?P<host>\[[^]]+\]|[^:]*):(?P<port>\d+)")
_OURS = ("process.roles", "node.id", "log.dirs", "log.dir", "metadata.log.dir", "controller.quorum.voters")


@dataclass(frozen=True)
class Listener:
    """One entry of `listeners`: where clients (or the controller) connect, and by which security protocol."""

    name: str
    host: str
    port: int
    protocol: str

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Node:
    """
    One node of a cluster.

    Args:
        id: 1 to `brokers`.
        brokers: how many nodes the cluster has.
        listeners: as Kafka's `listeners`, without port 0; names CONTROLLER where the node is one.
        voters: node id → `host:port` of each controller.
    """

    id: int
    brokers: int
    listeners: str
    voters: Mapping[int, str]


def broker_properties(
    data_directory: Path, port: int, overrides: Mapping[str, str], free_port: Callable[[], int]
) -> dict[str, str]:
    """
    All properties of a single node that is broker and controller.

    Args:
        data_directory: where the logs go; belongs to this broker alone.
        port: of the plaintext listener; 0 takes a free one.
        overrides: win over every default; `listeners` too, where port 0 takes a free one each.
        free_port: gives a port that nobody listens on, another one at each call.
    """
    listeners = chosen_listeners(overrides.get("listeners", f"PLAINTEXT://{HOST}:{port}"), free_port, controller=True)
    node = Node(int(NODE_ID), 1, listeners, {int(NODE_ID): parse_controller(listeners) or ""})
    return node_properties(data_directory, node, overrides)


def chosen_listeners(listeners: str, free_port: Callable[[], int], *, controller: bool) -> str:
    """`listeners` with one for the controller added if the node is to be one, and a free port for each port 0."""
    if controller and f"{CONTROLLER}://" not in listeners:
        listeners += f",{CONTROLLER}://{HOST}:0"
    return re.sub(r":0(?=,|$)", lambda _: f":{free_port()}", listeners)


def node_properties(data_directory: Path, node: Node, overrides: Mapping[str, str]) -> dict[str, str]:
    """All properties of one node of a cluster, of which a lone broker is the smallest."""
    if forbidden := [key for key in _OURS if key in overrides]:
        raise BrokerConfigurationError(
            f"{', '.join(forbidden)} cannot be set: the local broker sets it itself. Leave it out."
        )
    properties = {
        "process.roles": "broker,controller" if node.id in node.voters else "broker",
        "node.id": str(node.id),
        "log.dirs": str(data_directory),
        "controller.listener.names": CONTROLLER,
        "controller.quorum.voters": ",".join(f"{number}@{address}" for number, address in node.voters.items()),
        "listener.security.protocol.map": ",".join(
            f"{name}:{name.replace(CONTROLLER, 'PLAINTEXT')}"
            for name in (CONTROLLER, "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
        ),
        **_replication(node.brokers),
        **LAPTOP_DEFAULTS,
        **overrides,
        "listeners": node.listeners,
    }
    # Without it Kafka asks for a listener of the name PLAINTEXT, which an override may have left out.
    if "security.inter.broker.protocol" not in overrides:
        properties.setdefault("inter.broker.listener.name", client_listeners(properties)[0].name)
    return properties


def _replication(brokers: int) -> dict[str, str]:
    """Three copies where there are three brokers, so that one may be killed and nothing stops."""
    copies = min(brokers, 3)
    in_sync = max(1, copies - 1)
    internal = {
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }
    topics = {"default.replication.factor": copies, "min.insync.replicas": in_sync} if brokers > 1 else {}
    return {key: str(value) for key, value in {**internal, **topics}.items()}


def parse_controller(listeners: str) -> str | None:
    """`host:port` of the controller's listener, None for a node that is none."""
    found = re.search(rf"(?:^|,)\s*{CONTROLLER}://([^,]+)", listeners)
    return found[1] if found else None


def parse_listeners(properties: Mapping[str, str]) -> list[Listener]:
    """The entries of `listeners`, in order, with their security protocols."""
    protocols = dict(entry.strip().split(":", 1) for entry in properties["listener.security.protocol.map"].split(","))
    listeners = []
    for entry in properties["listeners"].split(","):
        match = _LISTENER.fullmatch(entry.strip())
        if match is None:
            raise BrokerConfigurationError(
                f"listeners: {entry.strip()!r} is not NAME://HOST:PORT, as in PLAINTEXT://{HOST}:9092."
            )
        if match["name"] not in protocols:
            raise BrokerConfigurationError(
                f"listeners: {match['name']} has no security protocol; "
                f"add -c listener.security.protocol.map={CONTROLLER}:PLAINTEXT,{match['name']}:PROTOCOL."
            )
        listeners.append(Listener(match["name"], match["host"] or HOST, int(match["port"]), protocols[match["name"]]))
    return listeners


def client_listeners(properties: Mapping[str, str]) -> list[Listener]:
    """The listeners for clients; the first is the one that `bootstrap.servers` names."""
    controllers = properties["controller.listener.names"].split(",")
    listeners = [one for one in parse_listeners(properties) if one.name not in controllers]
    if not listeners:
        raise BrokerConfigurationError(f"listeners has none for clients; add PLAINTEXT://{HOST}:0, for example.")
    return listeners


def format_properties(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file, escaped so that any value survives."""
    return "".join(f"{_escape(key, key=True)}={_escape(value)}\n" for key, value in properties.items())


def parse_properties(text: str) -> dict[str, str]:
    """The inverse of `format_properties` (not of every properties file that Java accepts)."""
    properties = {}
    for line in text.splitlines():
        match = re.fullmatch(r"((?:[^\\=]|\\.)*)=(.*)", line)
        if match:
            properties[_unescape(match[1])] = _unescape(match[2])
    return properties


def read_properties(text: str) -> dict[str, str]:
    """A properties file as people write them: comments, spaces around `=` or `:`, lines continued by a backslash."""
    properties = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        entry = line.strip()
        if entry and entry[0] not in "#!":
            match = re.fullmatch(r"((?:[^\\=:\s]|\\.)+)\s*[=:\s]\s*(.*)", entry)
            key, value = (match[1], match[2]) if match else (entry, "")
            properties[_unescape(key)] = _unescape(value)
    return properties


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` options as a mapping. The message of an error names no value: it may be a secret."""
    properties = {}
    for number, assignment in enumerate(assignments, start=1):
        key, separator, value = assignment.partition("=")
        if not separator or not key.strip():
            raise BrokerConfigurationError(
                f"option -c number {number} is not KEY=VALUE, as in -c message.max.bytes=2000000."
            )
        properties[key.strip()] = value
    return properties


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\\": "\\\\"}
_UNESCAPES = {escaped[1]: raw for raw, escaped in _ESCAPES.items()}


def _escape(text: str, *, key: bool = False) -> str:
    special = "=: #!" if key else ""
    escaped = []
    for index, character in enumerate(text):
        if character in _ESCAPES:
            escaped.append(_ESCAPES[character])
        elif character in special or (index == 0 and character in " #!"):
            escaped.append("\\" + character)
        elif not " " <= character <= "~":
            # Java reads these files as Latin-1, or UTF-8, depending on who opens them: only ASCII is safe.
            units = character.encode("utf-16-be")
            escaped.extend(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
        else:
            escaped.append(character)
    return "".join(escaped)


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return bytes.fromhex(match[1].replace("\\u", "")).decode("utf-16-be")
        return _UNESCAPES.get(match[2], match[2])

    return re.sub(r"((?:\\u[0-9a-f]{4})+)|\\(.)", replace, text)

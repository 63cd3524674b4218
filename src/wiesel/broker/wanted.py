"""What is asked of a start: which broker, of which version, with which properties."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wiesel.broker.distribution import KAFKA_VERSION, pinned_version
from wiesel.broker.errors import BrokerConfigurationError
from wiesel.broker.jvm import CLUSTER_HEAP, MAXIMUM_HEAP
from wiesel.broker.properties import Node


@dataclass(frozen=True)
class Wanted:
    """
    The broker that is wanted.

    Args:
        port: of the plaintext listener; 0 takes a free one. Without meaning where `node` is given.
        overrides: Kafka's properties that win over ours.
        version: of Kafka, pinned; None takes the one that made the data, else ours.
        node: what it is in a cluster; None for a lone broker.
        cluster_id: of that cluster.
    """

    port: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    node: Node | None = None
    cluster_id: str | None = None

    @property
    def heap(self) -> str:
        """How much memory its objects may take."""
        return CLUSTER_HEAP if self.node else MAXIMUM_HEAP


def version_for(wanted: str | None, made_with: str | None) -> str:
    """The version to start: as asked, but data are never opened by an older Kafka than the one that used them."""
    version = pinned_version(wanted or made_with or KAFKA_VERSION)
    if made_with is not None and _numbers(version) < _numbers(made_with):
        raise BrokerConfigurationError(
            f"the data are Kafka {made_with}'s, and Kafka {version} may not be able to read them; "
            "`wiesel kafka down --delete` removes them, another --dir keeps both."
        )
    return version


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))

"""The local Apache Kafka, one broker or several: resolve, start, stop."""

from wiesel.broker.cluster import LocalCluster, find_running, stop_running
from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.broker.local import LocalBroker, stop_broker

__all__ = [
    "BrokerConfigurationError",
    "BrokerError",
    "LocalBroker",
    "LocalCluster",
    "find_running",
    "stop_broker",
    "stop_running",
]

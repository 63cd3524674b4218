"""The local Apache Kafka: resolve, start, stop."""

from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.broker.local import LocalBroker, stop_broker

__all__ = ["BrokerConfigurationError", "BrokerError", "LocalBroker", "stop_broker"]

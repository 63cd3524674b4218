"""pytest fixtures of sessions that ask for Wiesel: a real Apache Kafka, and topics of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from wiesel.testing.kafka_topic import KafkaTopic

if TYPE_CHECKING:
    from wiesel.broker.local import LocalBroker


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Apache Kafka on a free port: started by the session's first test that wants it, removed at the end.

    Needs ``wiesel[broker]``; ``kafka_broker.bootstrap_servers`` is what clients want.
    """
    from wiesel.broker.fixtures import session_broker

    yield from session_broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def kafka_topic(kafka_broker: LocalBroker) -> Callable[..., KafkaTopic]:
    """Make topics that no other test uses: ``kafka_topic("orders", partitions=2)`` returns a ``KafkaTopic``."""
    from wiesel.broker.fixtures import topic_factory

    create = topic_factory(kafka_broker)

    def make(name: str = "topic", partitions: int = 1) -> KafkaTopic:
        return KafkaTopic(create(name, partitions=partitions), kafka_broker.bootstrap_servers)

    return make

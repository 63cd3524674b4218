"""A real Apache Kafka for the tests of this directory, started once a session."""

from collections.abc import Iterator

import pytest

from wiesel.broker.fixtures import topic
from wiesel.broker.local import LocalBroker

__all__ = ["kafka", "topic"]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker that keeps records for ever: tests write some of years ago, which it would delete every five minutes."""
    broker = LocalBroker.start(tmp_path_factory.mktemp("kafka"), properties={"log.retention.ms": "-1"})
    try:
        yield broker
    finally:
        broker.stop(delete=True)

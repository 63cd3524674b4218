"""pytest fixtures: a real broker for the session, and topics of unique names. Imported by a conftest."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker


class TopicFactory(Protocol):
    """`topic(name="t", partitions=1, **properties)` → the unique name of a new topic."""

    def __call__(self, name: str = ..., *, partitions: int = ..., properties: Mapping[str, str] | None = ...) -> str:
        """Create a topic; `name` is the readable part of its name, `properties` are Kafka's (`retention.ms`)."""
        ...


_numbers = itertools.count(1)


def session_broker(directory: Path) -> Iterator[LocalBroker]:
    """Yield a broker on a free port; stopped and removed behind the yield."""
    broker = LocalBroker.start(directory)
    try:
        yield broker
    finally:
        broker.stop(delete=True)


def topic_factory(broker: LocalBroker) -> TopicFactory:
    """Return what creates topics of unique names on `broker`."""
    admin = Admin(broker.bootstrap_servers)

    def create(name: str = "topic", *, partitions: int = 1, properties: Mapping[str, str] | None = None) -> str:
        unique = f"{name}-{next(_numbers)}"
        admin.create_topic(unique, partitions, properties)
        return unique

    return create


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Apache Kafka on a free port, started once a session, stopped and removed at its end."""
    yield from session_broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def topic(kafka: LocalBroker) -> TopicFactory:
    """Creates topics on `kafka` that no other test uses."""
    return topic_factory(kafka)

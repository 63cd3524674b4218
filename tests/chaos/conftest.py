"""A broker that gives timed-out transactions up quickly, started once a session."""

from collections.abc import Iterator

import pytest

from tests.chaos.kills import BROKER_PROPERTIES
from wiesel.broker.local import LocalBroker


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    broker = LocalBroker.start(tmp_path_factory.mktemp("chaos-kafka"), properties=BROKER_PROPERTIES)
    try:
        yield broker.bootstrap_servers
    finally:
        broker.stop(delete=True)

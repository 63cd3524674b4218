"""A broker of the kill harness's own, started once a session."""

from collections.abc import Iterator

import pytest

from tests.chaos.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("chaos-kafka")) as broker:
        yield broker

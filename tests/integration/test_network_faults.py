"""Networks that lie (rows F18, F19 of the fault matrix)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kafka_store import committed
from wiesel.broker import LocalBroker
from wiesel.broker.admin import Admin
from wiesel.testing.kafka_proxy import Action, Api, KafkaProxy, Rule

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ONCE = ["a1", "a2", "b1", "b2"]
#: The claim's transaction ends first, then that of the first checkpoint.
_CLAIM = 1


class Network:
    """A broker that clients reach through a proxy only."""

    def __init__(self, directory: Path) -> None:
        self.proxy = KafkaProxy()
        properties = {
            "advertised.listeners": f"PLAINTEXT://{self.proxy.bootstrap_servers}",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
        }
        self.broker = LocalBroker.start(directory, properties=properties)
        self.proxy.upstream_port = self.broker.port

    def run(self, topic: str, directory: Path, switched_off: str) -> list[str]:
        """Run the story's job, and return what readers of committed records see."""
        Admin(self.proxy.bootstrap_servers).create_topic(topic)
        environment = {**os.environ, "WIESEL_ABLATE": switched_off}
        command = [sys.executable, "-m", "tests.integration.network_story", self.proxy.bootstrap_servers, topic]
        answer = subprocess.run(
            [*command, str(directory)],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0 or switched_off, answer.stderr
        return committed(self.proxy.bootstrap_servers, topic)

    def close(self) -> None:
        self.proxy.close()
        self.broker.stop(delete=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    yield network
    network.close()


@pytest.fixture
def network(shared: Network) -> Iterator[Network]:
    yield shared
    shared.proxy.clear()


@pytest.mark.parametrize(("switched_off", "seen"), [("", ONCE), ("rule2", ["a1", "a2", "a1", "a2"])])
def test_a_commit_whose_answer_is_lost_is_not_published_again(
    network: Network, tmp_path: Path, switched_off: str, seen: list[str]
) -> None:
    """F18. Rule 2: what was read of the progress topic before a fence does not count behind it.

    Without it the first checkpoint is published twice; before the second one rule 8 stops the job, too late.
    """
    network.proxy.add(Rule(Api.END_TXN, Action.SWALLOW, skip=_CLAIM))
    assert network.run(f"lost-answer-{switched_off}", tmp_path, switched_off) == seen


def test_a_commit_that_arrives_late_does_not_end_the_next_transaction(network: Network, tmp_path: Path) -> None:
    """F19 (KAFKA-17754). Rule 3: a producer carries one transaction, and its successor fences its delayed requests."""
    released: list[int] = []
    topic = "late-request"

    def release() -> None:
        time.sleep(0.3)  # until the records are in the log
        released.append(network.proxy.release())
        time.sleep(0.7)  # until the broker has done what the late request says

    network.proxy.add(Rule(Api.END_TXN, Action.HOLD, skip=_CLAIM))
    # In the middle of the second checkpoint's transaction.
    network.proxy.add(Rule(Api.PRODUCE, Action.LET_BY, skip=1, containing=topic.encode(), then=release))
    output = network.run(topic, tmp_path, "")
    assert released == [1]
    assert output == ONCE

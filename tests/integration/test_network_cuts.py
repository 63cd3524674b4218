"""Networks that are cut, flap or are slow while an exactly-once sink publishes (rows F20, F22, F23): `make faults`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.kafka_store import Job
from tests.integration.network import Line, Network, close
from tests.integration.publisher import Publisher
from wiesel.connectors.kafka.errors import KafkaClientError
from wiesel.testing.kafka_proxy import Action, Api, KafkaProxy, Rule

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.exhaustive]

_SECONDS = 3.0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    yield network
    network.close()


@pytest.fixture
def line(network: Network, tmp_path: Path) -> Iterator[Line]:
    yield Line(network, tmp_path)
    network.proxy.clear()
    network.proxy.heal()


def cut_off(proxy: KafkaProxy) -> None:
    """F20."""
    proxy.cut()
    time.sleep(_SECONDS)


def answers_lost(proxy: KafkaProxy) -> None:
    """F20: the broker hears us, and we do not hear the broker."""
    proxy.cut(requests=False)
    time.sleep(_SECONDS)


def requests_lost(proxy: KafkaProxy) -> None:
    """F20: the other way round."""
    proxy.cut(answers=False)
    time.sleep(_SECONDS)


def flapping(proxy: KafkaProxy) -> None:
    """F20: there and away, five times."""
    for _ in range(5):
        proxy.cut()
        time.sleep(0.3)
        proxy.reset()
        proxy.heal()
        time.sleep(0.3)


def storm_of_resets(proxy: KafkaProxy) -> None:
    """F22."""
    for _ in range(10):
        assert proxy.reset() > 0
        time.sleep(0.5)


@pytest.mark.parametrize("misfortune", [cut_off, answers_lost, requests_lost, flapping, storm_of_resets])
def test_nothing_is_lost_or_repeated_and_the_job_goes_on_when_the_network_is_back(
    line: Line, tmp_path: Path, misfortune: Callable[[KafkaProxy], None]
) -> None:
    """O1, O3 and O4, with transactions that the broker gives up while the network is away."""
    publisher = Publisher(line.sink(2000), tmp_path / "job")
    publisher.start()
    publisher.await_more(2)
    misfortune(line.proxy)
    line.proxy.heal()
    healed = time.monotonic()
    publisher.await_more(3)
    assert time.monotonic() - healed < 30
    assert publisher.finish() == line.output()
    assert not line.has_open_transaction()


def test_over_a_thin_line_output_takes_its_time_and_nothing_else(line: Line, tmp_path: Path) -> None:
    """F22: 1 Mbit/s, and 400 ms there and back."""
    publisher = Publisher(line.sink(), tmp_path / "job")
    publisher.start()
    publisher.await_more(1)
    line.proxy.slow(0.2, 125_000)
    publisher.await_more(2)
    line.proxy.heal()
    assert publisher.finish() == line.output()


def test_a_push_that_outlasts_its_transaction_gets_a_longer_one(line: Line, tmp_path: Path) -> None:
    """F23: three seconds for a transaction of one, so that two are too short and the third is long enough."""
    jobs: list[Job] = [line.store().start(line.sink(1000))]
    line.proxy.add(Rule(Api.PRODUCE, Action.DELAY, times=1000, containing=line.topic.encode(), seconds=2.5))
    jobs[0].checkpoint("a1", "a2")
    assert line.output() == ["a1", "a2"]
    assert not line.has_open_transaction()
    close(jobs)


def test_a_push_that_outlasts_the_longest_transaction_ends_the_job_and_comes_when_the_line_is_better(
    tmp_path: Path,
) -> None:
    """F23, beyond the broker's limit: the records that do arrive show that trying for ever would not help."""
    network = Network(tmp_path / "network", transaction_max_timeout_ms="2000")
    try:
        line = Line(network, tmp_path)
        store, sink = line.store(), line.sink(1000, batch_size="1000")
        job = store.start(sink)
        slow = Rule(Api.PRODUCE, Action.DELAY, times=10_000, containing=line.topic.encode(), seconds=0.5)
        line.proxy.add(slow)
        values = [str(number) * 900 for number in range(10)]
        job.write(*values)
        job.decide()
        with pytest.raises(KafkaClientError, match=r"within 2 s, the longest.*transaction\.max\.timeout"):
            job.publish()
        close([job])
        assert line.output() == []
        line.proxy.clear()
        close([store.start(sink)])
        assert line.output() == values
    finally:
        network.close()

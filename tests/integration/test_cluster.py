"""Three real brokers: one is killed while an exactly-once sink publishes (rows F16, F17, F25 of the fault matrix)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.integration.kafka_store import Store, await_markers, committed, sink_to
from tests.integration.publisher import Publisher
from wiesel.broker import BrokerConfigurationError, BrokerError, LocalCluster, find_running
from wiesel.broker.admin import Admin
from wiesel.connectors.kafka.naming import progress_topic

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three brokers; topics have three replicas, two of which must have a record before it counts."""
    properties = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500"}
    cluster = LocalCluster.start(tmp_path_factory.mktemp("cluster"), properties=properties)
    try:
        yield cluster
    finally:
        cluster.stop(delete=True)


def wiesel_kafka(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wiesel.cli.main", "kafka", *map(str, arguments)],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def leader_of(cluster: LocalCluster, topic: str) -> int:
    described = AdminClient({"bootstrap.servers": cluster.bootstrap_servers}).list_topics(topic, timeout=60)
    return int(described.topics[topic].partitions[0].leader)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("kills", [1, pytest.param(3, marks=pytest.mark.exhaustive)])
def test_nothing_is_lost_or_repeated_when_brokers_are_killed_while_output_is_published(
    cluster: LocalCluster, tmp_path: Path, kills: int
) -> None:
    """Of the three one leads the output, one coordinates the transactions, one is the active controller."""
    output = f"output-{kills}"
    admin = Admin(cluster.bootstrap_servers)
    admin.create_topic(output)
    publisher = Publisher(sink_to(cluster.bootstrap_servers, output, output), tmp_path / "job")
    publisher.start()
    publisher.await_more(2)
    first = leader_of(cluster, output)
    assert progress_topic(output) in {topic.name for topic in admin.list_topics()}
    for number in [first, *({1, 2, 3} - {first})][:kills]:
        address = cluster.addresses[number]
        assert wiesel_kafka("kill", str(number), "--dir", cluster.directory).returncode == 0
        status = wiesel_kafka("status", "--dir", cluster.directory)
        assert (status.returncode, f"broker.{number}={address} down" in status.stdout) == (3, True)
        publisher.await_more(3)
        restart = wiesel_kafka("restart", str(number), "--dir", cluster.directory)
        assert restart.stdout.startswith(f"broker.{number}={address} pid="), restart.stderr
    assert publisher.finish() == committed(cluster.bootstrap_servers, output)
    # No transaction hangs: what readers of committed records may see is all there is.
    await_markers(cluster.bootstrap_servers, output)


@pytest.mark.exhaustive
def test_with_too_few_brokers_in_sync_output_waits_and_goes_on_when_they_are_back(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """F25: two of three are down, two must have each record. Nothing is published, and nothing grows."""
    output = "too-few"
    Admin(cluster.bootstrap_servers).create_topic(output)
    publisher = Publisher(sink_to(cluster.bootstrap_servers, output, output), tmp_path / "job")
    publisher.start()
    publisher.await_more(2)
    memory = resident_bytes()
    down = sorted({1, 2, 3} - {leader_of(cluster, output)})
    for number in down:
        cluster.kill(number)
    assert publisher.stands_still(15)
    assert resident_bytes() - memory < 64 << 20
    with ThreadPoolExecutor(len(down)) as pool:  # neither of them answers before there is a quorum of controllers
        list(pool.map(cluster.restart, down))
    publisher.await_more(3)
    assert publisher.finish() == committed(cluster.bootstrap_servers, output)
    await_markers(cluster.bootstrap_servers, output)


def test_up_finds_the_cluster_that_runs_and_refuses_another_one(cluster: LocalCluster) -> None:
    assert wiesel_kafka("status", "--dir", cluster.directory).returncode == 0
    up = wiesel_kafka("up", "--dir", cluster.directory)
    assert up.stdout == f"bootstrap.servers={cluster.bootstrap_servers}\n", up.stderr
    with pytest.raises(BrokerConfigurationError, match="has 3 brokers, not 2"):
        LocalCluster.start(cluster.directory, 2)
    with pytest.raises(BrokerError, match="another port"):
        LocalCluster.start(cluster.directory, 3, cluster.port + 1)


def test_a_broker_of_kafka_3_9_serves_an_exactly_once_sink(tmp_path: Path) -> None:
    home = tmp_path / "kafka"
    up = wiesel_kafka("up", "--version", "3.9", "--port", "0", "--dir", home)
    try:
        broker = find_running(home)
        assert broker is not None, up.stderr
        assert broker.kafka_version.startswith("3.9.")
        Admin(broker.bootstrap_servers).create_topic("output")
        job = Store(tmp_path / "job").start(sink_to(broker.bootstrap_servers, "output", "output"))
        job.checkpoint("a", "b")
        job.close()
        assert committed(broker.bootstrap_servers, "output") == ["a", "b"]
    finally:
        down = wiesel_kafka("down", "--delete", "--dir", home)
    assert (down.returncode, home.exists()) == (0, False)

"""Clusters of several brokers: who is a controller, where each listens, what is replicated, which versions exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiesel.broker.distribution import KAFKA_VERSION, KAFKA_VERSIONS, lock_file, pinned_version
from wiesel.broker.errors import BrokerConfigurationError
from wiesel.broker.layout import ClusterDirectory, ClusterLayout, choose_listeners
from wiesel.broker.properties import CONTROLLER, node_properties, read_properties
from wiesel.broker.wanted import version_for
from wiesel.java.lockfile import read_lock


def layout(brokers: int, **properties: str) -> ClusterLayout:
    return ClusterLayout(KAFKA_VERSION, "id", choose_listeners(brokers, 9092, properties), properties)


@pytest.mark.parametrize(("brokers", "controllers"), [(2, [1]), (3, [1, 2, 3]), (5, [1, 2, 3])])
def test_the_quorum_survives_the_loss_of_a_broker_where_it_can(brokers: int, controllers: list[int]) -> None:
    made = layout(brokers)
    assert list(made.voters) == controllers
    roles = [node_properties(Path("data"), made.node(number), {})["process.roles"] for number in made.listeners]
    assert [role == "broker,controller" for role in roles] == [number in controllers for number in made.listeners]


def test_brokers_listen_on_ports_that_follow_each_other_and_all_know_the_same_quorum() -> None:
    made = layout(3)
    nodes = [node_properties(Path("data"), made.node(number), {}) for number in (1, 2, 3)]
    assert [node["listeners"].partition(",")[0] for node in nodes] == [
        f"PLAINTEXT://127.0.0.1:{port}" for port in (9092, 9093, 9094)
    ]
    assert len({node["controller.quorum.voters"] for node in nodes}) == 1
    assert [node["node.id"] for node in nodes] == ["1", "2", "3"]


@pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(2, "2", "1"), (3, "3", "2"), (5, "3", "2")])
def test_what_is_replicated_survives_one_broker(brokers: int, replicas: str, in_sync: str) -> None:
    node = node_properties(Path("data"), layout(brokers).node(1), {})
    assert node["transaction.state.log.replication.factor"] == node["default.replication.factor"] == replicas
    assert node["transaction.state.log.min.isr"] == node["min.insync.replicas"] == in_sync


def test_an_override_wins_on_every_node_and_listeners_need_free_ports() -> None:
    assert node_properties(Path("data"), layout(3).node(2), {"min.insync.replicas": "1"})["min.insync.replicas"] == "1"
    listeners = choose_listeners(3, 0, {"listeners": "PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0"})
    ports = [entry.rpartition(":")[2] for one in listeners.values() for entry in one.split(",")]
    assert len(set(ports)) == len(ports) == 9
    assert all(f"{CONTROLLER}://" in one for one in listeners.values())
    with pytest.raises(BrokerConfigurationError, match="cannot share a port"):
        choose_listeners(3, 0, {"listeners": "PLAINTEXT://127.0.0.1:9092"})


def test_a_layout_is_private_and_comes_back_as_it_was(tmp_path: Path) -> None:
    home = ClusterDirectory(tmp_path / "cluster")
    home.create()
    assert home.read() is None
    home.write(layout(3, secret="s"))
    home.write(made := layout(3, secret="t"))
    assert home.read() == made
    assert (home.root / "cluster.json").stat().st_mode & 0o077 == 0
    home.delete()
    assert not home.root.exists()


def test_a_directory_that_holds_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(BrokerConfigurationError, match="holds other things"):
        ClusterDirectory(tmp_path).create()


def test_a_lone_broker_s_directory_does_not_become_a_cluster_s(tmp_path: Path) -> None:
    (tmp_path / "broker.lock").touch()
    with pytest.raises(BrokerConfigurationError, match="a lone broker's"):
        ClusterDirectory(tmp_path).create()


@pytest.mark.parametrize("version", KAFKA_VERSIONS)
def test_every_version_is_pinned_by_checksums(version: str) -> None:
    coordinates = {jar.coordinate for jar in read_lock(lock_file(version))}
    assert f"org.apache.kafka:kafka_2.13:{version}" in coordinates


def test_a_version_may_be_named_as_far_as_it_is_clear() -> None:
    assert pinned_version("3.9").startswith("3.9.")
    assert pinned_version(KAFKA_VERSION) == pinned_version("4.3") == pinned_version("4") == KAFKA_VERSION
    with pytest.raises(BrokerConfigurationError, match=r"Kafka 2\.8 is not pinned here; choose one of 3\.9"):
        pinned_version("2.8")


def test_data_are_opened_by_the_kafka_that_made_them_or_a_newer_one() -> None:
    assert version_for(None, "3.9.2") == "3.9.2"
    assert version_for(None, None) == KAFKA_VERSION
    assert version_for("4.3", "3.9.2") == KAFKA_VERSION
    with pytest.raises(BrokerConfigurationError, match=r"are Kafka 4\.3\.1's"):
        version_for("3.9", "4.3.1")


def test_a_properties_file_is_read_as_people_write_it() -> None:
    text = "# comment\n! too\n\n  a.b = c d \nurl: http://x=y\nlong=one\\\n    two\nempty\n"
    assert read_properties(text) == {"a.b": "c d", "url": "http://x=y", "long": "onetwo", "empty": ""}

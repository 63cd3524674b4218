"""The rights that docs/kafka.md lists are enough for examples/flights.py, and each that is missing is named."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from tests.integration.job_process import Ended, Workplace
from tests.integration.test_kafka_security import PLAIN, SECRET, broker, librdkafka
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

__all__ = ["broker"]

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TABLE_ROW = re.compile(
    r"^\| (Topic|Group|TransactionalId) \| `?([\w-]+)`?(, as a prefix)? \| ([\w, ]+) \|", re.MULTILINE
)
OUTPUTS = ("flight-delays", "flight-alerts", "flights-very-late", "flights-too-late")
#: What the names of the table stand for in examples/flights.py.
NAMES = {"INPUT": ["flights"], "GROUP": ["flights"], "OUTPUT": OUTPUTS, "PREFIX": OUTPUTS}
KINDS = {
    "Topic": ResourceType.TOPIC,
    "Group": ResourceType.GROUP,
    "TransactionalId": ResourceType.TRANSACTIONAL_ID,
}
FLIGHT = {
    "airport": "JFK",
    "carrier": "B6",
    "flight": 1,
    "to": "BQN",
    "scheduled": "2013-01-01T10:45:00Z",
    "delay": 200,
}


@dataclass(frozen=True)
class Right:
    """One operation on one resource."""

    kind: str
    name: str
    operation: str
    prefixed: bool

    def binding(self) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL
        operation, allow = AclOperation[self.operation.upper()], AclPermissionType.ALLOW
        return AclBinding(KINDS[self.kind], self.name, pattern, "User:job", "*", operation, allow)

    def filter(self) -> AclBindingFilter:
        one = self.binding()
        return AclBindingFilter(
            one.restype,
            one.name,
            one.resource_pattern_type,
            one.principal,
            one.host,
            one.operation,
            one.permission_type,
        )


def documented() -> list[Right]:
    """The table of docs/kafka.md, for the flights."""
    rights = []
    for kind, name, prefixed, operations in TABLE_ROW.findall((ROOT / "docs/kafka.md").read_text(encoding="utf-8")):
        stands_for = next(key for key in NAMES if key in name)
        for instance in NAMES[stands_for]:
            for operation in operations.split(", "):
                rights.append(Right(kind, name.replace(stands_for, instance), operation, bool(prefixed)))
    return rights


class Cluster:
    """The cluster as its administrator sees it."""

    def __init__(self, broker: LocalBroker) -> None:
        self.servers = broker.bootstrap_servers
        self._admin = AdminClient(librdkafka(broker, "root"))
        self._login = librdkafka(broker, "root")

    def prepare(self) -> None:
        for future in self._admin.create_topics([NewTopic(name, 1, 1) for name in ("flights", *OUTPUTS)]).values():
            future.result()
        for future in self._admin.create_acls([right.binding() for right in documented()]).values():
            future.result()
        self.produce()

    def produce(self) -> None:
        producer = Producer(self._login)
        for _ in range(3):
            producer.produce("flights", json.dumps(FLIGHT), "JFK-B6", timestamp=1_357_037_100_000)
        assert producer.flush(60) == 0

    @contextmanager
    def without(self, *rights: Right) -> Iterator[None]:
        """Take rights away for a while."""
        for future in self._admin.delete_acls([right.filter() for right in rights]).values():
            assert len(future.result()) == 1
        try:
            yield
        finally:
            for future in self._admin.create_acls([right.binding() for right in rights]).values():
                future.result()


@pytest.fixture(scope="module")
def cluster(broker: LocalBroker) -> Cluster:
    prepared = Cluster(broker)
    prepared.prepare()
    return prepared


def arguments(cluster: Cluster, *options: object) -> list[object]:
    login = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{PLAIN} username="job" password="{SECRET}";',
    }
    properties = [text for key, value in login.items() for text in ("--property", f"{key}={value}")]
    settings = ("-c", "restart-strategy.type=none", "-c", "execution.checkpointing.dir=checkpoints")
    return [*settings, ROOT / "examples/flights.py", "--bootstrap", cluster.servers, *properties, *options]


def fly(cluster: Cluster, directory: Path) -> Ended:
    ended = Workplace(directory).run(*arguments(cluster, "--bounded"))
    assert SECRET not in ended.out + ended.err
    return ended


def assert_names(ended: Ended, name: str, operation: str) -> None:
    """The last line names the resource and the operation, as a sentence does or as Kafka's tools."""
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, name)
    assert operation.lower() in ended.last_line.lower(), ended.err


def one(kind: str, name: str, operation: str) -> Right:
    (right,) = (right for right in documented() if (right.kind, right.name, right.operation) == (kind, name, operation))
    return right


def test_the_table_lists_what_this_test_takes_away() -> None:
    kinds = {(right.kind, right.name.replace("flights-too-late", "X"), right.operation) for right in documented()}
    named = {kind for kind in kinds if "flight" not in kind[1] or kind[1] == "flights"}
    assert named == {
        ("Topic", "flights", "Read"),
        ("Group", "flights", "Read"),
        ("Topic", "X", "Write"),
        ("Topic", "__wiesel-progress-X", "Create"),
        ("Topic", "__wiesel-progress-X", "Read"),
        ("Topic", "__wiesel-progress-X", "Write"),
        ("TransactionalId", "X", "Write"),
    }


# First, while the progress topics are not there.
def test_without_the_right_to_create_its_progress_topic_a_sink_names_it(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.without(one("Topic", "__wiesel-progress-flights-very-late", "Create")):
        ended = fly(cluster, tmp_path)
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, "__wiesel-progress-flights-very-late", "Create")


def test_with_exactly_the_documented_rights_the_flights_are_counted_without_a_warning(
    cluster: Cluster, tmp_path: Path
) -> None:
    ended = fly(cluster, tmp_path)
    assert ended.code == exit_codes.OK, ended.err
    assert not re.search("principal|allow|authoriz", ended.err, re.IGNORECASE), ended.err


@pytest.mark.parametrize(
    ("kind", "name", "operation"),
    [
        ("Topic", "flights", "Read"),
        ("Topic", "flight-alerts", "Write"),
        ("Topic", "__wiesel-progress-flight-delays", "Read"),
        ("Topic", "__wiesel-progress-flight-delays", "Write"),
        ("TransactionalId", "flights-too-late", "Write"),
    ],
)
def test_a_right_that_is_missing_is_named_when_the_job_starts(
    cluster: Cluster, tmp_path: Path, kind: str, name: str, operation: str
) -> None:
    with cluster.without(one(kind, name, operation)):
        began = time.monotonic()
        ended = fly(cluster, tmp_path)
    assert time.monotonic() - began < 60
    assert_names(ended, name, operation)


@pytest.mark.exhaustive
def test_without_the_group_the_job_runs_and_warns(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.without(one("Group", "flights", "Read")):
        ended = fly(cluster, tmp_path)
    assert ended.code == exit_codes.OK
    assert re.search(r"WARN.*commit offsets to consumer group 'flights'.*Read on the group", ended.err), ended.err


@pytest.mark.parametrize(
    ("kind", "name", "operation"), [("Topic", "flights", "Read"), ("TransactionalId", "flights-very-late", "Write")]
)
def test_a_right_that_is_taken_away_while_the_job_runs_ends_it_with_its_name(
    cluster: Cluster, tmp_path: Path, kind: str, name: str, operation: str
) -> None:
    with Workplace(tmp_path).start(*arguments(cluster)) as running:
        running.wait_until(lambda: any((tmp_path / "checkpoints").glob("*/chk-*/_metadata")))
        with cluster.without(one(kind, name, operation)):
            cluster.produce()
            ended = running.end()
    assert_names(ended, name, operation)
    assert SECRET not in ended.err

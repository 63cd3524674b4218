"""Logins and rights on a real broker: the documented rights suffice, and what is missing is named."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
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

from tests.integration.job_process import wait_until
from tests.integration.kafka_store import Store, sink_to
from tests.integration.test_kafka_source import SourceJob
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.naming import progress_topic
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import AuthorizationError
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource, KafkaSourceBuilder

pytestmark = pytest.mark.integration

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SECRET = "correct-horse"
PREFIX = "least"


def login(user: str, password: str) -> dict[str, str]:
    """As scripts for Flink write it."""
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{PLAIN} username="{user}" password="{password}";',
    }


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    users = " ".join(f'user_{user}="{SECRET}"' for user in ("root", "job", "stranger"))
    started = LocalBroker.start(
        tmp_path_factory.mktemp("secured"),
        properties={
            "listeners": "SASL_PLAINTEXT://127.0.0.1:0",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "inter.broker.listener.name": "SASL_PLAINTEXT",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": f'{PLAIN} username="root" '
            f'password="{SECRET}" {users};',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:root;User:ANONYMOUS",
            "log.retention.ms": "-1",  # flights are of 2013
        },
    )
    try:
        for name in ("in", "out"):
            create_topic(started, name)
        yield started
    finally:
        started.stop(delete=True)


def librdkafka(broker: LocalBroker, user: str) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": broker.bootstrap_servers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": SECRET,
    }


def create_topic(broker: LocalBroker, name: str) -> None:
    """Create a topic, and wait until the broker has heard of it from its controller."""
    admin = AdminClient(librdkafka(broker, "root"))
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    wait_until(lambda: name in admin.list_topics(timeout=60).topics)


def grant(
    broker: LocalBroker,
    kind: ResourceType,
    name: str,
    *operations: AclOperation,
    prefixed: bool = False,
    user: str = "job",
) -> None:
    pattern = ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL
    bindings = [
        AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)
        for operation in operations
    ]
    admin = AdminClient(librdkafka(broker, "root"))
    for future in admin.create_acls(bindings).values():
        future.result()
    for one in bindings:
        of_it = AclBindingFilter(kind, name, pattern, one.principal, "*", one.operation, AclPermissionType.ALLOW)
        wait_until(lambda of_it=of_it: admin.describe_acls(of_it).result() != [])  # type: ignore[misc]


def source(broker: LocalBroker, topic: str = "in", **properties: str) -> KafkaSourceBuilder:
    builder = KafkaSource.builder().set_bootstrap_servers(broker.bootstrap_servers).set_topics(topic)
    builder.set_value_only_deserializer(SimpleStringSchema()).set_properties(properties)
    return builder.set_bounded(KafkaOffsetsInitializer.latest())


def sink(broker: LocalBroker, user: str, password: str = SECRET) -> KafkaSinkSpec:
    return sink_to(broker.bootstrap_servers, "out", PREFIX, **login(user, password))


def test_a_wrong_password_is_refused_at_once_and_not_shown(
    broker: LocalBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_SECONDS", 90.0)
    began = time.monotonic()
    with pytest.raises(AuthorizationError, match="refused the login") as refusal:
        source(broker, **login("job", "wrong-password")).build().spec.preflight(Configuration())
    assert time.monotonic() - began < 45, "not at the end of the time that it has for a connection"
    assert "wrong-password" not in str(refusal.value)


def test_a_topic_that_may_not_be_read_is_named_with_the_right(broker: LocalBroker) -> None:
    with pytest.raises(AuthorizationError, match=r"topic in: .*Describe and Read"):
        source(broker, **login("stranger", SECRET)).build().spec.preflight(Configuration())


def test_a_topic_that_may_be_seen_and_not_used_is_found_before_the_job_starts(broker: LocalBroker) -> None:
    create_topic(broker, "seen")
    grant(broker, ResourceType.TOPIC, "seen", AclOperation.DESCRIBE)
    reading = source(broker, "seen", **login("job", SECRET)).build().spec
    with pytest.raises(AuthorizationError, match=r"may not read topic 'seen'.*--operation READ"):
        reading.preflight(Configuration())
    writing = sink_to(broker.bootstrap_servers, "seen", PREFIX, **login("job", SECRET))
    with pytest.raises(AuthorizationError, match=r"may not write topic 'seen'.*--operation WRITE"):
        writing.preflight(Configuration(), JobFacts(True, 1000, False, {"sink": writing}))


def test_a_sink_without_rights_names_them(broker: LocalBroker, tmp_path: Path) -> None:
    job = Store(tmp_path).begin(sink(broker, "stranger"))
    with pytest.raises(AuthorizationError, match=r"allow|Create on that topic"):
        job.recover()
    job.close()


def test_the_documented_rights_are_enough(broker: LocalBroker, tmp_path: Path) -> None:
    operation, kind = AclOperation, ResourceType
    grant(broker, kind.TOPIC, "in", operation.READ, operation.DESCRIBE)
    grant(broker, kind.TOPIC, "out", operation.WRITE, operation.DESCRIBE)
    progress = progress_topic(PREFIX)
    grant(broker, kind.TOPIC, progress, operation.WRITE, operation.READ, operation.DESCRIBE, operation.CREATE)
    grant(broker, kind.TRANSACTIONAL_ID, PREFIX, operation.WRITE, operation.DESCRIBE, prefixed=True)
    job = Store(tmp_path).start(sink(broker, "job"))
    job.checkpoint("a")
    job.checkpoint("b")
    job.close()
    reading = SourceJob(source(broker, **login("job", SECRET)))
    assert reading.read_all() == []
    reading.reader.close()

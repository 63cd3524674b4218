"""Rights on groups, transactional ids and progress topics are known before a job starts, and asking changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AclOperation, AdminClient, ResourceType

from tests.integration.kafka_store import committed, open_transaction, sink_to
from tests.integration.test_kafka_security import SECRET, broker, create_topic, grant, librdkafka, login, source
from tests.integration.test_preflight import connect
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka.naming import progress_topic
from wiesel.connectors.kafka.preflight import examine_sink, examine_source
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import AuthorizationError
from wiesel.core.preflight import PreflightFinding
from wiesel.datastream.connectors.kafka import KafkaOffsetsInitializer

__all__ = ["broker"]

pytestmark = pytest.mark.integration

NameOf = Callable[[str], str]
_numbers = itertools.count(1)


@pytest.fixture
def name_of() -> NameOf:
    number = next(_numbers)
    return lambda text: f"rights-{text}-{number}"


def new_topic(broker: LocalBroker, name: str, *operations: AclOperation) -> str:
    create_topic(broker, name)
    grant(broker, ResourceType.TOPIC, name, *operations)
    return name


def of_source(broker: LocalBroker, topic: str, group: str, *, from_group: bool = False) -> list[PreflightFinding]:
    builder = source(broker, topic, **login("job", SECRET)).set_group_id(group)
    if from_group:
        builder.set_starting_offsets(KafkaOffsetsInitializer.committed_offsets())
    spec = builder.build().spec
    assert isinstance(spec, KafkaSourceSpec)
    return list(examine_source(spec, Configuration()))


def of_sink(broker: LocalBroker, topic: str, prefix: str) -> list[PreflightFinding]:
    sink = sink_to(broker.bootstrap_servers, topic, prefix, **login("job", SECRET))
    return list(examine_sink(sink, JobFacts(True, 1000, False, {"sink": sink})))


def assert_denied(finding: PreflightFinding, *said: str, fatal: bool = True) -> None:
    assert isinstance(finding.error, AuthorizationError)
    assert [text for text in said if text not in str(finding.error)] == [], finding.error
    assert finding.fatal is fatal
    assert SECRET not in str(finding.error)


def test_a_group_is_a_warning_where_it_is_told_offsets_and_an_error_where_it_is_asked_for_them(
    broker: LocalBroker, name_of: NameOf
) -> None:
    topic, group = new_topic(broker, name_of("in"), AclOperation.READ), name_of("group")
    allow = f"kafka-acls.sh --add --allow-principal User:… --operation READ --group {group}"
    (told,) = of_source(broker, topic, group)
    assert_denied(told, f"may not read group '{group}'", allow, "set_group_id", fatal=False)
    (asked,) = of_source(broker, topic, group, from_group=True)
    assert_denied(asked, f"offsets of group '{group}'", allow)
    grant(broker, ResourceType.GROUP, group, AclOperation.DESCRIBE)
    (told,) = of_source(broker, topic, group, from_group=True)
    assert_denied(told, allow, fatal=False)
    grant(broker, ResourceType.GROUP, group, AclOperation.READ)
    assert of_source(broker, topic, group, from_group=True) == []


def test_transactional_ids_are_named_with_their_prefix_and_so_is_a_progress_topic_that_may_not_be_created(
    broker: LocalBroker, name_of: NameOf
) -> None:
    topic, prefix = new_topic(broker, name_of("out"), AclOperation.WRITE), name_of("prefix")
    progress = progress_topic(prefix)
    of_progress, of_ids = of_sink(broker, topic, prefix)
    assert_denied(
        of_progress, f"'{progress}'", f"--operation READ --operation WRITE --operation CREATE --topic {progress}"
    )
    assert_denied(
        of_ids,
        f"transactional ids that begin with '{prefix}'",
        f"--operation WRITE --transactional-id {prefix} --resource-pattern-type prefixed",
    )
    # To see them is not enough.
    grant(broker, ResourceType.TRANSACTIONAL_ID, prefix, AclOperation.DESCRIBE, prefixed=True)
    assert len(of_sink(broker, topic, prefix)) == 2
    grant(broker, ResourceType.TRANSACTIONAL_ID, prefix, AclOperation.WRITE, prefixed=True)
    grant(broker, ResourceType.TOPIC, progress, AclOperation.READ, AclOperation.WRITE)
    (of_progress,) = of_sink(broker, topic, prefix)
    assert_denied(of_progress, f"topic '{progress}'", "Create on that topic", "cleanup.policy=compact")
    grant(broker, ResourceType.TOPIC, progress, AclOperation.CREATE)
    assert of_sink(broker, topic, prefix) == []
    # The question for the right to create was only a question.
    admin = AdminClient(librdkafka(broker, "root"))
    assert progress not in admin.list_topics(timeout=60).topics


def test_asking_for_transactional_ids_fences_nobody(kafka: LocalBroker, name_of: NameOf) -> None:
    topic, prefix = name_of("open"), name_of("prefix")
    Admin(kafka.bootstrap_servers).create_topic(topic)
    # Even an id of the very name that is asked with keeps its transaction.
    running = open_transaction(kafka.bootstrap_servers, f"{prefix}-wiesel-check", topic, "mine")
    sink = sink_to(kafka.bootstrap_servers, topic, prefix)
    assert list(examine_sink(sink, JobFacts(True, 1000, False, {"sink": sink}))) == []
    running.commit_transaction(60)
    assert committed(kafka.bootstrap_servers, topic) == ["mine"]


def test_check_connect_names_all_rights_that_a_job_lacks_at_once(
    broker: LocalBroker, name_of: NameOf, tmp_path: Path
) -> None:
    read = new_topic(broker, name_of("in"), AclOperation.DESCRIBE)
    written = new_topic(broker, name_of("out"), AclOperation.DESCRIBE)
    properties = "".join(f" --property '{key}={value}'" for key, value in login("stranger", SECRET).items())
    for topic in (read, written):
        grant(broker, ResourceType.TOPIC, topic, AclOperation.DESCRIBE, user="stranger")
    code, found = connect(
        tmp_path,
        f"--bootstrap {broker.bootstrap_servers} --input {read} --output {written} --guarantee EXACTLY_ONCE"
        f" --group {name_of('group')}{properties}",
        *("-c", "execution.checkpointing.interval=1s"),
    )
    said = [(one["operator"], one["severity"], one["message"]) for one in found]
    wanted = [
        ("Source: flights", "error", f"--operation READ --topic {read}"),
        ("Source: flights", "warning", f"--operation READ --group {name_of('group')}"),
        ("delays: Writer", "error", f"--operation WRITE --topic {written}"),
        ("delays: Writer", "error", "__wiesel-progress-check"),
        ("delays: Writer", "error", "--transactional-id check --resource-pattern-type prefixed"),
    ]
    assert code == 1
    assert len(said) == len(wanted), said
    for operator, severity, text in wanted:
        assert any((operator, severity) == one[:2] and text in one[2] for one in said), (text, said)
    assert SECRET not in str(found)

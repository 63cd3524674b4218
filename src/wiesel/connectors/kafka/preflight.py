"""What Kafka sources and sinks check before a job starts, so that a mistake costs a message and not a running job."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.connectors.kafka.admin import Cluster, cluster
from wiesel.connectors.kafka.inspection import TopicFacts, inspect_topics, verifies_transactions
from wiesel.connectors.kafka.naming import progress_topic
from wiesel.connectors.kafka.offsets import Committed
from wiesel.connectors.kafka.progress_log import may_not_create
from wiesel.connectors.kafka.rights import group_operations, may_create_topic, may_use_transactional_ids
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import AuthorizationError, ConfigurationError, MissingTopicError, WieselError
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.core.preflight import PreflightFinding

if TYPE_CHECKING:
    from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
    from wiesel.connectors.kafka.source_spec import KafkaSourceSpec

logger = logging.getLogger(__name__)

_DAY_MS: Final = 86_400_000
_UNITS: Final = ((_DAY_MS, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms"))


def settle(findings: Iterable[PreflightFinding]) -> None:
    """Raise the first fatal finding; those before it that are not are warned about."""
    for finding in findings:
        if finding.fatal:
            raise finding.error
        logger.warning("%s", finding.error)


def examine_source(source: KafkaSourceSpec, configuration: Configuration) -> Iterator[PreflightFinding]:
    """Find what is wrong with a source: its settings, its cluster, its topics, our rights, their retention."""
    try:
        source.check_settings()
        connection = cluster(source.bootstrap_servers, source.properties)
        topics = sorted(source.subscription.find(connection)[0])
        facts = inspect_topics(connection, source.bootstrap_servers, topics)
    except WieselError as error:
        yield PreflightFinding(error)
        return
    for topic in topics:
        yield from _missing_rights(topic, facts[topic], "READ")
    yield from _group_rights(source, connection)
    yield from _short_retention(connection, topics, configuration)


def examine_sink(sink: KafkaSinkSpec, job: JobFacts) -> Iterator[PreflightFinding]:
    """Find what is wrong with a sink: its guarantee in this job, its cluster, its topic, our rights."""
    yield from examine_guarantee(sink, job)
    topic = sink.serializer.topic
    try:
        connection = cluster(sink.bootstrap_servers, sink.properties)
        connection.connect()
        facts = inspect_topics(connection, sink.bootstrap_servers, [topic] if topic is not None else [])
    except WieselError as error:
        yield PreflightFinding(error)
        return
    if topic is not None:
        yield from _missing_rights(topic, facts[topic], "WRITE")
        yield from _too_few_replicas(connection, topic, facts[topic])
    if sink.transactional:
        yield from _old_brokers(sink)
        yield from _progress_rights(sink, connection)
        yield from _transaction_rights(sink)


def examine_guarantee(sink: KafkaSinkSpec, job: JobFacts) -> Iterator[PreflightFinding]:
    """Find what can be known without a broker."""
    prefix = sink.transactional_id_prefix
    if sink.guarantee is not DeliveryGuarantee.EXACTLY_ONCE:
        if prefix is not None:
            yield _warning(
                f"transactional id prefix {prefix!r} has no effect: the delivery guarantee is {sink.guarantee.name}. "
                "Add set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE), or leave the prefix out."
            )
        return
    if not prefix:
        yield _mistake(
            "EXACTLY_ONCE needs a transactional id prefix: KafkaSink.builder().set_transactional_id_prefix('my-job'). "
            "It must be this job's alone on the cluster, and must not change between restarts."
        )
    same = [
        uid
        for uid, other in job.sinks.items()
        if getattr(other, "transactional_id_prefix", None) == prefix
        and getattr(other, "guarantee", None) is DeliveryGuarantee.EXACTLY_ONCE
    ]
    if prefix and len(same) > 1:
        yield _mistake(
            f"{len(same)} sinks of this job use the transactional id prefix {prefix!r}. Give each its own, or they "
            "fence each other (for dead letters: BadRecordPolicy.dead_letter(topic, transactional_id_prefix))."
        )
    if not job.checkpointing_enabled and not job.bounded:
        yield _mistake(
            "EXACTLY_ONCE output becomes visible with checkpoints, and checkpointing is off: call "
            "env.enable_checkpointing(1000), or set execution.checkpointing.interval."
        )


def _missing_rights(topic: str, facts: TopicFacts, *needed: str) -> Iterator[PreflightFinding]:
    missing = [name for name in needed if facts.operations is not None and name not in facts.operations]
    if missing:
        may_not = " or ".join(name.lower() for name in missing)
        yield _denied(f"The principal may not {may_not} topic {topic!r}", f"--topic {topic}", *missing)


def _group_rights(source: KafkaSourceSpec, connection: Cluster) -> Iterator[PreflightFinding]:
    """Find out about the group where it is asked for offsets, which must be, or told some, which need not."""
    group = source.group_id
    starts_there = isinstance(source.start, Committed)
    if group is None or not (starts_there or source.commits_offsets):
        return
    allowed = group_operations(connection, group)
    if allowed is None or "READ" in allowed:
        return
    if starts_there and "DESCRIBE" not in allowed:
        yield _denied(
            f"The principal may not see the offsets of group {group!r}, where this source starts",
            f"--group {group}",
            "READ",
        )
    elif source.commits_offsets:
        yield _denied(
            f"The principal may not read group {group!r}: offsets will not be committed to it, so that its lag cannot "
            "be watched; the job itself goes on from its checkpoints. Leave set_group_id out",
            f"--group {group}",
            "READ",
            fatal=False,
        )


def _transaction_rights(sink: KafkaSinkSpec) -> Iterator[PreflightFinding]:
    prefix = sink.transactional_id_prefix
    if prefix and may_use_transactional_ids(sink.bootstrap_servers, sink.properties, prefix) is False:
        yield _denied(
            f"The principal may not write with transactional ids that begin with {prefix!r}",
            f"--transactional-id {prefix} --resource-pattern-type prefixed",
            "WRITE",
        )


def _denied(problem: str, resource: str, *operations: str, fatal: bool = True) -> PreflightFinding:
    """Return a finding that ends with the command that grants the rights (each brings DESCRIBE with it)."""
    asked = " ".join(f"--operation {operation}" for operation in operations)
    grant = f"kafka-acls.sh --add --allow-principal User:… {asked} {resource}"
    text = f"{problem}. Grant it: {grant}" if fatal else f"{problem}, or grant it: {grant}"
    return PreflightFinding(AuthorizationError(text), fatal)


def _too_few_replicas(connection: Cluster, topic: str, facts: TopicFacts) -> Iterator[PreflightFinding]:
    needed = int(connection.topic_configuration([topic]).get(topic, {}).get("min.insync.replicas", 1))
    if facts.fewest_in_sync < needed:
        yield _warning(
            f"A partition of topic {topic!r} has {facts.fewest_in_sync} current copies, and min.insync.replicas="
            f"{needed}: writing will wait until more brokers are back. If it has no more replicas than that, lower it: "
            f"wiesel kafka topics alter {topic} -c min.insync.replicas=1"
        )


def _old_brokers(sink: KafkaSinkSpec) -> Iterator[PreflightFinding]:
    if verifies_transactions(sink.bootstrap_servers, sink.properties) is False:
        yield _mistake(
            f"The brokers at {sink.bootstrap_servers} are older than Kafka 3.6, which EXACTLY_ONCE needs: older ones "
            "can leave transactions hanging, or put records of one into another (KIP-890). Upgrade them, or set "
            "DeliveryGuarantee.AT_LEAST_ONCE."
        )


def _progress_rights(sink: KafkaSinkSpec, connection: Cluster) -> Iterator[PreflightFinding]:
    from wiesel.connectors.kafka.sink_committer import PROGRESS_TOPIC

    topic = sink.properties.get(PROGRESS_TOPIC, progress_topic(sink.transactional_id_prefix or ""))
    try:
        facts = inspect_topics(connection, sink.bootstrap_servers, [topic])
    except MissingTopicError:
        if may_create_topic(connection, topic) is False:
            yield PreflightFinding(may_not_create(topic))
        return
    except AuthorizationError:  # whether it is there is not told then
        problem = f"The principal may not read and write topic {topic!r}, where EXACTLY_ONCE keeps its progress"
        yield _denied(problem, f"--topic {topic}", "READ", "WRITE", "CREATE")
        return
    except WieselError as error:
        yield PreflightFinding(error)
        return
    yield from _missing_rights(topic, facts[topic], "READ", "WRITE")


def _short_retention(
    connection: Cluster, topics: list[str], configuration: Configuration
) -> Iterator[PreflightFinding]:
    away = downtime_ms(configuration)
    if not away:
        return  # without checkpoints a restart reads from the beginning, whatever that is by then
    for topic, settings in connection.topic_configuration(topics).items():
        kept = int(settings.get("retention.ms", -1))
        if "delete" in settings.get("cleanup.policy", "delete") and 0 <= kept < away:
            yield _warning(
                f"Topic {topic!r} keeps records for {_duration(kept)} (retention.ms), and this job may take "
                f"{_duration(away)} to come back to its last checkpoint after failures: what it still had to read may "
                f"be gone by then. Raise the retention (wiesel kafka topics alter {topic} -c retention.ms={2 * away}), "
                "or lower the checkpoint interval, its timeout or the delays of the restart strategy."
            )


def downtime_ms(configuration: Configuration) -> int:
    """Return how old the last checkpoint may be when the restart strategy lets the job read again; 0 without any."""
    interval = optional_value_of(configuration, catalog.CHECKPOINTING_INTERVAL)
    if not interval:
        return 0
    checkpoint = interval + value_of(configuration, catalog.CHECKPOINTING_TIMEOUT)
    strategy = optional_value_of(configuration, catalog.RESTART_STRATEGY) or "exponential-delay"
    if strategy == "fixed-delay":
        attempts = value_of(configuration, catalog.FIXED_DELAY_ATTEMPTS)
        return checkpoint + attempts * value_of(configuration, catalog.FIXED_DELAY_DELAY)
    if strategy == "failure-rate":
        failures = value_of(configuration, catalog.FAILURE_RATE_MAX_FAILURES)
        return checkpoint + failures * value_of(configuration, catalog.FAILURE_RATE_DELAY)
    if strategy == "exponential-delay":
        return checkpoint + value_of(configuration, catalog.EXPONENTIAL_MAX_BACKOFF)
    return checkpoint


def _duration(milliseconds: int) -> str:
    unit, name = next((unit for unit in _UNITS if milliseconds >= unit[0]), _UNITS[-1])
    return f"{milliseconds / unit:.3g} {name}"


def _mistake(text: str) -> PreflightFinding:
    return PreflightFinding(ConfigurationError(text))


def _warning(text: str) -> PreflightFinding:
    return PreflightFinding(ConfigurationError(text), fatal=False)

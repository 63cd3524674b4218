"""`wiesel txn` and `wiesel offsets` against a real broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import KafkaException

from tests.integration.job_process import wait_until
from tests.integration.kafka_store import committed, open_transaction
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.broker.produce import NewRecord, produce
from wiesel.cli.main import wiesel
from wiesel.common import Configuration, WatermarkStrategy
from wiesel.common.job_client import JobClient
from wiesel.common.serialization import SimpleStringSchema
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

pytestmark = pytest.mark.integration


def run(kafka: LocalBroker, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(
        wiesel, [*arguments, "--bootstrap", kafka.bootstrap_servers], standalone_mode=False, catch_exceptions=False
    )
    assert (result.return_value or 0) == code, result.output
    return result


def rows(kafka: LocalBroker, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(kafka, *arguments).stdout.splitlines()]


def test_an_open_transaction_is_listed_described_and_aborted(kafka: LocalBroker, topic: TopicFactory) -> None:
    name = topic()
    tid = f"tid-{name}"
    producer = open_transaction(kafka.bootstrap_servers, tid, name, "a")
    assert tid in [one["transactional_id"] for one in rows(kafka, "txn", "list", "--state", "ongoing")]
    (described,) = rows(kafka, "txn", "describe", tid)
    assert (described["state"], described["partitions"]) == ("Ongoing", [f"{name}-0"])

    run(kafka, "txn", "abort", tid)
    wait_until(lambda: rows(kafka, "txn", "describe", tid)[0]["partitions"] == [])
    with pytest.raises(KafkaException, match=r"fenced|FENCED"):
        producer.commit_transaction(60)
    assert rows(kafka, "txn", "hanging", "--topic", name) == rows(kafka, "txn", "hanging") == []


def test_an_unknown_transactional_id_and_half_a_place_are_told(kafka: LocalBroker) -> None:
    assert "no coordinator knows" in run(kafka, "txn", "describe", "never-used", code=1).stderr
    with pytest.raises(Exception, match="together"):
        run(kafka, "txn", "abort", "--topic", "t")


def test_offsets_of_a_job_are_those_of_its_checkpoint_and_its_progress_topic(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    source, target = topic("source", partitions=2), topic("target")
    produce(kafka.bootstrap_servers, source, [NewRecord(b"x", partition=number % 2) for number in range(7)])
    job = copy(kafka, source, target, tmp_path)
    wait_until(lambda: len(committed(kafka.bootstrap_servers, target)) >= 7)
    newest = newest_checkpoint(tmp_path)
    wait_until(lambda: newest_checkpoint(tmp_path) > newest + 1)  # one that knows what was published
    job.cancel().result()
    produce(kafka.bootstrap_servers, source, [NewRecord(b"later", partition=1)])

    (directory,) = (store.parent for store in tmp_path.glob("*/_store"))
    *partitions, sink = rows(kafka, "offsets", directory.name, "--checkpoints", str(tmp_path))
    assert rows(kafka, "offsets", str(directory)) == [*partitions, sink]
    assert [(one["partition"], one["offset"], one["end"], one["lag"]) for one in partitions] == [
        (0, 4, 4, 0),
        (1, 3, 4, 1),
    ]
    assert sink["transactional_id"] == f"copy-{target}-the-sink-0"
    assert sink["published"] == sink["confirmed"] > 0
    assert sink["pending"] == 0


def newest_checkpoint(checkpoints: Path) -> int:
    found = checkpoints.glob("*/chk-*/_metadata")
    return max((int(path.parent.name.removeprefix("chk-")) for path in found), default=0)


def copy(kafka: LocalBroker, source: str, target: str, checkpoints: Path) -> JobClient:
    """Start a job without an end."""
    configuration = Configuration()
    configuration.set_string("execution.checkpointing.dir", str(checkpoints))
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    env.enable_checkpointing(100)
    reading = (
        KafkaSource.builder()
        .set_bootstrap_servers(kafka.bootstrap_servers)
        .set_topics(source)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    writing = (
        KafkaSink.builder()
        .set_bootstrap_servers(kafka.bootstrap_servers)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(target)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(f"copy-{target}")
        .build()
    )
    env.from_source(reading, WatermarkStrategy.no_watermarks(), "source").sink_to(writing).uid("the-sink")
    return env.execute_async("copy")


def test_offsets_of_a_name_without_a_job_are_a_groups(kafka: LocalBroker, topic: TopicFactory) -> None:
    name = topic()
    produce(kafka.bootstrap_servers, name, [NewRecord(b"a"), NewRecord(b"b")])
    group = f"readers-of-{name}"
    run(kafka, "kafka", "consume", name, "--from-beginning", "--group", group, "--max", "2")
    assert rows(kafka, "offsets", group) == [{"topic": name, "partition": 0, "committed": 2, "end": 2, "lag": 0}]
    assert "no group 'nobody'" in run(kafka, "offsets", "nobody", code=1).stderr

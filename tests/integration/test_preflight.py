"""What is found before a job starts, on a real broker: each finding says what to change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka.inspection import verifies_transactions

pytestmark = pytest.mark.integration

JOB = """
import argparse
from pyflink.common import WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink, KafkaSource

parser = argparse.ArgumentParser()
for name in ("bootstrap", "input", "output", "guarantee", "group"):
    parser.add_argument("--" + name)
parser.add_argument("--property", action="append", default=[])
options = parser.parse_args()
properties = dict(text.split("=", 1) for text in options.property)
env = StreamExecutionEnvironment.get_execution_environment()
source = KafkaSource.builder().set_bootstrap_servers(options.bootstrap).set_topics(options.input) \\
    .set_value_only_deserializer(SimpleStringSchema()).set_properties(properties)
if options.group:
    source.set_group_id(options.group)
serializer = KafkaRecordSerializationSchema.builder().set_topic(options.output) \\
    .set_value_serialization_schema(SimpleStringSchema()).build()
sink = KafkaSink.builder().set_bootstrap_servers(options.bootstrap).set_record_serializer(serializer) \\
    .set_delivery_guarantee(DeliveryGuarantee[options.guarantee]).set_transactional_id_prefix("check")
for key, value in properties.items():
    sink.set_property(key, value)
stream = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "flights")
stream.sink_to(sink.build()).name("delays")
env.execute("preflight")
"""


def connect(tmp_path: Path, arguments: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    script = tmp_path / "job.py"
    script.write_text(JOB)
    command = [sys.executable, "-m", "wiesel.cli.main", "check", str(script), "--connect", "--format", "json"]
    answer = subprocess.run(
        [*command, "--args", arguments, *options],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)["connect"]


def test_a_sound_job_has_nothing_to_be_found(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    arguments = f"--bootstrap {kafka.bootstrap_servers} --input {topic()} --output {topic()} --guarantee EXACTLY_ONCE"
    assert connect(tmp_path, arguments, "-c", "execution.checkpointing.interval=1s") == (0, [])


def test_everything_that_is_wrong_is_found_at_once(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    short = topic("short", properties={"retention.ms": "60000"})
    servers = kafka.bootstrap_servers
    code, found = connect(
        tmp_path,
        f"--bootstrap {servers} --input {short} --output nowhere --guarantee AT_LEAST_ONCE",
        *("-c", "execution.checkpointing.interval=1s"),
    )
    said = {(one["operator"], one["severity"]): one["message"] for one in found}
    assert code == 1
    assert "keeps records for 1 min" in said["Source: flights", "warning"]
    assert f"wiesel kafka topics alter {short} -c retention.ms=" in said["Source: flights", "warning"]
    assert "has no effect: the delivery guarantee is AT_LEAST_ONCE" in said["delays: Writer", "warning"]
    assert "wiesel kafka topics create nowhere" in said["delays: Writer", "error"]


def test_exactly_once_without_checkpoints_is_found(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    arguments = f"--bootstrap {kafka.bootstrap_servers} --input {topic()} --output {topic()} --guarantee EXACTLY_ONCE"
    code, found = connect(tmp_path, arguments)
    assert code == 1
    assert all("env.enable_checkpointing(1000)" in one["message"] for one in found)
    assert len(found) == 2, "the job's and the sink's own"


def test_a_broker_of_today_verifies_transactions(kafka: LocalBroker) -> None:
    assert verifies_transactions(kafka.bootstrap_servers, {}) is True

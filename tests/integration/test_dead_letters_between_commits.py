"""Output and dead letters of one checkpoint are two transactions (docs/adr/0011): what is seen between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.job_process import NO_RESTART, Workplace, stop, wait_until
from tests.integration.kafka_store import committed
from tests.integration.network import Network
from wiesel.broker.admin import Admin
from wiesel.core import exit_codes
from wiesel.testing.kafka_proxy import Action, Api, Rule

pytestmark = [pytest.mark.integration, pytest.mark.slow]

JOB = """
import sys
from pyflink.common import WatermarkStrategy
from pyflink.common.serialization import DeserializationSchema, SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink, KafkaSource
from wiesel.datastream.connectors.kafka import BadRecordPolicy

class Good(DeserializationSchema):
    def deserialize(self, data):
        if not data.startswith(b"good"):
            raise ValueError("bad")
        return data.decode()

servers, suffix = sys.argv[1:]
source = (
    KafkaSource.builder().set_bootstrap_servers(servers).set_topics("in-" + suffix)
    .set_value_only_deserializer(Good())
    .set_bad_record_policy(BadRecordPolicy.dead_letter("letters-" + suffix, "letters-" + suffix))
    .build()
)
sink = (
    KafkaSink.builder().set_bootstrap_servers(servers)
    .set_record_serializer(
        KafkaRecordSerializationSchema.builder().set_topic("output-" + suffix)
        .set_value_serialization_schema(SimpleStringSchema()).build()
    )
    .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    .set_transactional_id_prefix("output-" + suffix)
    .build()
)
env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(100)
env.from_source(source, WatermarkStrategy.no_watermarks(), "read").sink_to(sink)
env.execute()
"""
RECORDS = [f"{'bad' if number % 3 == 1 else 'good'}-{number}" for number in range(100)]
EXPECTED = {
    "output": [record for record in RECORDS if record.startswith("good")],
    "letters": [record for record in RECORDS if record.startswith("bad")],
}
#: The transaction that claims a transactional id is the first that ends.
_CLAIM = 1


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    yield network
    network.close()


@pytest.mark.parametrize(("seen", "unseen"), [("output", "letters"), ("letters", "output")])
def test_a_kill_between_the_commits_of_output_and_dead_letters_neither_loses_nor_repeats_either(
    network: Network, tmp_path: Path, seen: str, unseen: str
) -> None:
    """Either may be there without the other for as long as the other's commit takes, whole or not at all."""
    servers, suffix = network.proxy.bootstrap_servers, f"{seen}-first"
    for name in ("in", "output", "letters"):
        Admin(servers).create_topic(f"{name}-{suffix}")
    producer = Producer({"bootstrap.servers": servers})
    for record in RECORDS:
        producer.produce(f"in-{suffix}", record)
    assert producer.flush(20) == 0

    def visible(name: str) -> list[str]:
        return committed(servers, f"{name}-{suffix}")

    ends_of_unseen = f"{unseen}-{suffix}".encode()
    network.proxy.add(Rule(Api.END_TXN, Action.DROP, skip=_CLAIM, times=1_000_000, containing=ends_of_unseen))
    place = Workplace(tmp_path)
    place.script(JOB)
    arguments = (*NO_RESTART, "-c", "execution.checkpointing.dir=checkpoints", "job.py", servers, suffix)
    with place.start("-p", 1, *arguments) as running:
        running.wait_until(lambda: len(visible(seen)) >= 1)
        # Decided for both, published for one: the other's transaction is there, and readers are not shown it.
        first = visible(seen)
        assert first == EXPECTED[seen][: len(first)]
        assert visible(unseen) == []
        running.process.kill()
    network.proxy.clear()
    with place.start("-p", 1, "--resume", *arguments) as running:
        wait_until(lambda: all(len(visible(name)) >= len(EXPECTED[name]) for name in EXPECTED), lambda: running.said)
        assert stop(running).code == exit_codes.TERMINATED, running.said
    assert {name: visible(name) for name in EXPECTED} == EXPECTED

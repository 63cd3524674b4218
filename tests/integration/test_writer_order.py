"""The sink without transactions: what a broken line makes the client send twice is there once, and in its order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kafka_store import committed
from tests.integration.network import Network
from wiesel.broker.admin import Admin
from wiesel.core.clock import SystemClock
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SinkContext
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from wiesel.testing.kafka_proxy import Action, Api, Rule

pytestmark = [pytest.mark.integration, pytest.mark.slow]

VALUES = [str(number) for number in range(100)]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path / "network")
    yield network
    network.close()


@pytest.mark.parametrize("off", ["", "idempotence"], ids=["with it", "without it"])
def test_a_request_that_arrives_after_it_was_sent_again_repeats_nothing(network: Network, off: str) -> None:
    """Java's client numbers its requests by default, and brokers then pass over what they have (KIP-679)."""
    servers = network.proxy.bootstrap_servers
    Admin(servers).create_topic("output")
    builder = KafkaSink.builder().set_bootstrap_servers(servers).set_property("linger.ms", "0")
    builder.set_property("batch.num.messages", "50").set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
    schema = KafkaRecordSerializationSchema.builder().set_topic("output")
    builder.set_record_serializer(schema.set_value_serialization_schema(SimpleStringSchema()).build())
    if off:
        builder.set_property("enable.idempotence", "false")
    failures: list[BaseException] = []
    context = SinkContext("sink", "Sink", 0, 1, "L.1", 0, None, Configuration(), SystemClock(), failures.append)
    writer = builder.build().spec.create_writer(context, [])
    try:
        network.proxy.add(Rule(Api.PRODUCE, Action.HOLD))
        for value in VALUES:
            writer.write(value, 0)
        writer.flush()
        assert network.proxy.release() == 1
        time.sleep(2)  # until the broker has done what the late request says
        output = committed(servers, "output")
    finally:
        writer.close()
    assert failures == []
    if off:
        assert len(output) > len(VALUES)
    else:
        assert output == VALUES

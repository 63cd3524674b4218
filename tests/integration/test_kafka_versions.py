"""Every pinned Kafka, every transaction protocol, and a producer epoch that comes to its end (rows F39, F40)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kafka_store import UID, Store, committed, sink_to
from tests.integration.raw_kafka import RawKafka
from wiesel.broker import LocalBroker
from wiesel.broker.admin import Admin
from wiesel.connectors.kafka.naming import transactional_id

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.exhaustive]

_LAST_EPOCH = 32_767


@pytest.mark.parametrize(
    ("version", "transaction_version"), [("3.9", None), ("4.0", None), ("4.3", 2), ("4.3", 1), ("4.3", 0)]
)
def test_output_is_published_once_by_every_kafka_and_transaction_version(
    tmp_path: Path, version: str, transaction_version: int | None
) -> None:
    """F40. The start after a crash behind the decision, too. 3.9 has transaction.version 0, later ones have 2."""
    with LocalBroker.start(tmp_path / "kafka", version=version) as broker:
        servers = broker.bootstrap_servers
        if transaction_version in (0, 1):
            with RawKafka(servers) as raw:
                raw.lower_feature("transaction.version", transaction_version)
        Admin(servers).create_topic("output")
        store, sink = Store(tmp_path / "job"), sink_to(servers, "output", "output")
        job = store.start(sink)
        job.checkpoint("a")
        job.checkpoint("b")
        job.write("c")
        job.decide()
        job.close()
        store.start(sink).close()
        assert committed(servers, "output") == ["a", "b", "c"]


def test_the_last_producer_epoch_is_followed_by_the_first_one_of_another_producer(tmp_path: Path) -> None:
    """F39 (KAFKA-20090, FLINK-40689): at a checkpoint a second it comes after nine hours."""
    with LocalBroker.start(tmp_path / "kafka") as broker:
        servers, tid = broker.bootstrap_servers, transactional_id("output", UID, 0)
        Admin(servers).create_topic("output")
        job = Store(tmp_path / "job").start(sink_to(servers, "output", "output"))
        job.checkpoint("before")
        with RawKafka(servers) as raw:
            producer_id, epoch = raw.init_producer_id(tid)
            while epoch < _LAST_EPOCH - 6:
                # The job's own fence for its next transaction may come in between.
                same_id, newer = raw.init_producer_id(tid)
                assert (same_id, newer > epoch) == (producer_id, True)
                epoch = newer
            values = [str(number) for number in range(12)]
            for value in values:
                job.checkpoint(value)
            job.close()
            other_id, epoch = raw.init_producer_id(tid)
        assert other_id != producer_id
        assert epoch < 100
        assert committed(servers, "output") == ["before", *values]

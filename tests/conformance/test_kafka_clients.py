"""What the exactly-once protocol believes of Kafka and its clients, asked of the simulated and of the real one."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.conformance.clusters import Cluster, events, read_to_end, wait_until
from wiesel.connectors.kafka.admin import cluster as connect
from wiesel.connectors.kafka.offset_lookup import ClusterOffsets
from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.errors import MissingTopicError


def test_a_transaction_is_seen_when_it_is_committed_and_not_before(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = cluster.open_transaction(f"tid-{topic}", topic, "a", "b")
    assert cluster.read(topic) == []
    assert cluster.read(topic, "read_uncommitted") == ["a", "b"]
    producer.commit_transaction(10)
    wait_until(lambda: cluster.read(topic) == ["a", "b"])


def test_a_new_producer_of_the_same_id_aborts_the_open_transaction_of_the_old_one(cluster: Cluster) -> None:
    topic = cluster.topic()
    old = cluster.open_transaction(f"tid-{topic}", topic, "lost")
    new = cluster.open_transaction(f"tid-{topic}", topic, "kept")
    new.commit_transaction(10)
    wait_until(lambda: cluster.read(topic) == ["kept"])
    assert cluster.read(topic, "read_uncommitted") == ["lost", "kept"]
    with pytest.raises(KafkaException) as raised:
        old.commit_transaction(10)
    assert raised.value.args[0].code() == KafkaError._FENCED
    assert raised.value.args[0].fatal()


def test_a_fenced_producer_writes_nothing_more(cluster: Cluster) -> None:
    topic = cluster.topic()
    old = cluster.open_transaction(f"tid-{topic}", topic, "lost")
    cluster.producer(f"tid-{topic}")
    with pytest.raises(KafkaException):
        old.produce(topic, b"late", b"key", 0)
        old.flush(10)
        old.commit_transaction(10)
    assert cluster.read(topic) == []


def test_a_committed_record_behind_an_open_transaction_waits_for_it(cluster: Cluster) -> None:
    topic = cluster.topic()
    first = cluster.open_transaction(f"first-{topic}", topic, "open")
    second = cluster.open_transaction(f"second-{topic}", topic, "committed")
    second.commit_transaction(10)
    assert cluster.read(topic) == []
    first.commit_transaction(10)
    wait_until(lambda: cluster.read(topic) == ["open", "committed"])


def test_a_record_outside_of_transactions_waits_for_them_too(cluster: Cluster) -> None:
    topic = cluster.topic()
    transaction = cluster.open_transaction(f"tid-{topic}", topic, "open")
    echo = cluster.producer()
    echo.produce(topic, b"echo", b"key", 0)
    assert echo.flush(10) == 0
    assert cluster.read(topic) == []
    transaction.commit_transaction(10)
    wait_until(lambda: cluster.read(topic) == ["open", "echo"])


def test_the_marker_of_a_transaction_takes_an_offset_that_no_reader_is_given(cluster: Cluster) -> None:
    topic = cluster.topic()
    cluster.open_transaction(f"tid-{topic}", topic, "a").commit_transaction(10)
    partition = Partition(topic, 0)
    latest = ClusterOffsets(connect(cluster.servers, {}), {}, None)
    wait_until(lambda: latest.latest([partition])[partition] == 2)
    assert latest.earliest([partition])[partition] == 0
    wait_until(lambda: read_to_end(cluster.consumer(topic)) == [("a", 0)])


def test_the_end_of_a_partition_is_told_behind_a_marker(cluster: Cluster) -> None:
    topic = cluster.topic()
    cluster.open_transaction(f"tid-{topic}", topic, "a").commit_transaction(10)
    consumer = cluster.consumer(topic)
    ends = (message.offset() for message in events(consumer) if message.error() is not None)
    assert next(end for end in ends if end != 0) == 2
    consumer.close()


def test_an_offset_that_is_not_there_is_told_as_an_event(cluster: Cluster) -> None:
    topic = cluster.topic()
    consumer = cluster.consumer(topic, offset=17)
    error = next(message.error() for message in events(consumer))
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET
    consumer.close()


def test_the_coordinator_ends_a_transaction_that_is_over_time(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = cluster.open_transaction(f"tid-{topic}", topic, "late", timeout_ms=1000)
    echo = cluster.producer()
    echo.produce(topic, b"behind", b"key", 0)
    assert echo.flush(10) == 0
    wait_until(lambda: cluster.read(topic) == ["behind"])
    with pytest.raises(KafkaException):
        producer.commit_transaction(10)


def test_a_commit_can_be_asked_for_again_until_it_is_answered(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = cluster.open_transaction(f"tid-{topic}", topic, "a")
    for _ in range(1000):
        try:
            producer.commit_transaction(0.001)
            break
        except KafkaException as error:
            assert error.args[0].code() == KafkaError._TIMED_OUT
            assert error.args[0].retriable()
    wait_until(lambda: cluster.read(topic) == ["a"])


def test_a_producer_may_carry_many_transactions(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = cluster.open_transaction(f"tid-{topic}", topic, "a")
    producer.commit_transaction(10)
    producer.begin_transaction()
    producer.produce(topic, b"b", b"key", 0)
    producer.commit_transaction(10)
    wait_until(lambda: cluster.read(topic) == ["a", "b"])


def test_a_transaction_cannot_be_begun_twice(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = cluster.open_transaction(f"tid-{topic}", topic, "a")
    with pytest.raises(KafkaException) as raised:
        producer.begin_transaction()
    assert raised.value.args[0].code() == KafkaError._STATE


def test_offsets_of_a_group_are_committed_without_waiting(cluster: Cluster) -> None:
    topic = cluster.topic()
    outcomes: list[object] = []
    consumer = cluster.consumer(topic, on_commit=lambda error, _: outcomes.append(error))
    consumer.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=True)
    wait_until(lambda: consumer.poll(0.05) is None and outcomes == [None])
    consumer.close()


def test_a_topic_that_is_not_there_is_named_and_one_that_is_there_can_be_created_again(cluster: Cluster) -> None:
    connection = connect(cluster.servers, {})
    with pytest.raises(MissingTopicError, match="no-such-topic"):
        connection.describe(["no-such-topic"])
    topic = cluster.topic(partitions=2)
    connection.create_topic(topic, 2, {})
    found = connection.describe([topic])[topic]
    assert (found.partitions, found.replication) == (2, 1)

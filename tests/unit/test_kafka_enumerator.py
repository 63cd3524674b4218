"""Which partitions are found, where they start, and who owns them."""

from collections.abc import Sequence
from typing import Any

import pytest

from wiesel.connectors.kafka.admin import TopicDescription
from wiesel.connectors.kafka.enumerator import KafkaSplitEnumerator, PartitionSet, Subscription, TopicList, TopicPattern
from wiesel.connectors.kafka.errors import OffsetOutOfRangeError, TopicChangedError
from wiesel.connectors.kafka.offsets import (
    AtTimestamp,
    Committed,
    Earliest,
    Latest,
    OffsetResetStrategy,
    Specific,
)
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition, owner_of, partition_of
from wiesel.core.contracts import Json, SourceSplit
from wiesel.core.errors import ConfigurationError, MissingTopicError


class Cluster:
    """Topics by name with (id, partitions); offsets are those of a log from 10 to 100."""

    def __init__(self, **topics: tuple[str, int]) -> None:
        self.topics = topics
        self.group: dict[Partition, int] = {}

    def topic_names(self) -> list[str]:
        return sorted(self.topics)

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        for name in topics:
            if name not in self.topics:
                raise MissingTopicError(name)
        return {name: TopicDescription(name, *self.topics[name]) for name in topics}

    def earliest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        return dict.fromkeys(partitions, 10)

    def latest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        return dict.fromkeys(partitions, 100)

    def at_timestamp(self, partitions: Sequence[Partition], timestamp_ms: int) -> dict[Partition, int | None]:
        return dict.fromkeys(partitions, 50 if timestamp_ms < 1_000 else None)

    def committed(self, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        return {partition: self.group.get(partition) for partition in partitions}


def enumerator(
    cluster: Cluster, subscription: Subscription, state: Json = None, start: Any = None, stop: Any = None
) -> KafkaSplitEnumerator:
    return KafkaSplitEnumerator(subscription, start or Earliest(), stop, cluster, cluster, 2, 1000, state)


def discover(found: KafkaSplitEnumerator) -> list[tuple[str, int]]:
    return [(split.split_id, split.position["offset"]) for split in found.on_discovered(found.discover())]


def test_all_partitions_of_the_topics_are_given_out_once() -> None:
    cluster = Cluster(a=("1", 2), b=("2", 1), c=("3", 1))
    looking = enumerator(cluster, TopicList(("a", "b")))
    assert discover(looking) == [("a-0", 10), ("a-1", 10), ("b-0", 10)]
    assert discover(looking) == []


def test_later_partitions_start_at_their_oldest_record_whatever_the_job_started_at() -> None:
    cluster = Cluster(a=("1", 1))
    looking = enumerator(cluster, TopicList(("a",)), start=Latest())
    assert discover(looking) == [("a-0", 100)]
    cluster.topics["a"] = ("1", 2)
    assert discover(looking) == [("a-1", 10)]


def test_a_restored_enumerator_gives_out_only_what_it_never_gave() -> None:
    cluster = Cluster(a=("1", 2))
    first = enumerator(cluster, TopicList(("a",)), start=Latest())
    discover(first)
    cluster.topics["a"] = ("1", 3)
    assert discover(enumerator(cluster, TopicList(("a",)), first.snapshot(), start=Latest())) == [("a-2", 10)]


def test_a_restart_before_the_first_discovery_still_starts_where_the_job_was_told_to() -> None:
    cluster = Cluster(a=("1", 1))
    state = enumerator(cluster, TopicList(("a",)), start=Latest()).snapshot()
    assert discover(enumerator(cluster, TopicList(("a",)), state, start=Latest())) == [("a-0", 100)]


def test_a_pattern_matches_whole_names_and_never_internal_topics() -> None:
    cluster = Cluster(
        orders=("1", 1), orders_old=("2", 1), __consumer_offsets=("3", 50), **{"__wiesel-progress-orders": ("4", 1)}
    )
    assert discover(enumerator(cluster, TopicPattern("orders"))) == [("orders-0", 10)]
    assert discover(enumerator(cluster, TopicPattern(".*"))) == [("orders-0", 10), ("orders_old-0", 10)]


def test_a_partition_that_the_topic_has_not_is_refused() -> None:
    subscription = PartitionSet((Partition("a", 2),))
    with pytest.raises(ConfigurationError, match="partitions 0 to 1, but set_partitions asks for 2"):
        enumerator(Cluster(a=("1", 2)), subscription).discover()


def test_a_topic_created_anew_is_refused_by_its_id() -> None:
    cluster = Cluster(a=("1", 1))
    first = enumerator(cluster, TopicList(("a",)))
    discover(first)
    cluster.topics["a"] = ("another", 1)
    with pytest.raises(TopicChangedError, match="created anew"):
        enumerator(cluster, TopicList(("a",)), first.snapshot()).discover()


def test_partitions_that_vanish_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(one=("1", 1), two=("2", 1))
    looking = enumerator(cluster, TopicPattern(".*"))
    discover(looking)
    del cluster.topics["two"]
    discover(looking)
    discover(looking)
    assert [record.getMessage() for record in caplog.records] == [
        "two-0 does not exist any more; the job had been reading it"
    ]


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        (Earliest(), 10),
        (Latest(), 100),
        (AtTimestamp(999), 50),
        (AtTimestamp(1_000), 100),
        (Committed(OffsetResetStrategy.EARLIEST), 10),
        (Committed(OffsetResetStrategy.LATEST), 100),
        (Specific({Partition("a", 0): 77}), 77),
        (Specific({Partition("a", 1): 77}, OffsetResetStrategy.LATEST), 100),
    ],
)
def test_each_initializer_has_an_answer_for_every_partition(initializer: Any, expected: int) -> None:
    assert discover(enumerator(Cluster(a=("1", 1)), TopicList(("a",)), start=initializer)) == [("a-0", expected)]


def test_committed_offset_zero_is_an_offset() -> None:
    cluster = Cluster(a=("1", 1))
    cluster.group = {Partition("a", 0): 0}
    assert discover(enumerator(cluster, TopicList(("a",)), start=Committed(OffsetResetStrategy.LATEST))) == [("a-0", 0)]


def test_a_partition_without_committed_offset_is_named_when_the_strategy_is_none() -> None:
    cluster = Cluster(a=("1", 2))
    cluster.group = {Partition("a", 0): 5}
    with pytest.raises(OffsetOutOfRangeError, match=r"^a-1 has no committed offset"):
        enumerator(cluster, TopicList(("a",)), start=Committed()).discover()


def test_stopping_offsets_travel_in_the_splits() -> None:
    looking = enumerator(Cluster(a=("1", 1)), TopicList(("a",)), stop=Latest())
    (split,) = looking.on_discovered(looking.discover())
    assert split == SourceSplit("a-0", {"topic": "a", "partition": 0, "offset": 10, "stop": 100})
    assert PartitionPosition.of(split).to_split() == split


@pytest.mark.parametrize(
    ("topic", "parallelism", "owners"),
    # "flights".hashCode() is -771814909 in Java: (that * 31 & 0x7FFFFFFF) % 4 == 1
    [("flights", 1, [0, 0, 0, 0]), ("flights", 4, [1, 2, 3, 0]), ("a", 3, [1, 2, 0, 1])],
)
def test_partitions_go_round_the_readers_from_where_the_topics_hash_says(
    topic: str, parallelism: int, owners: list[int]
) -> None:
    assert [owner_of(Partition(topic, number), parallelism) for number in range(4)] == owners


def test_a_topic_may_have_dashes() -> None:
    assert partition_of("a-b-3-12") == Partition("a-b-3", 12)

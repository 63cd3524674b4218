"""Consumer groups of a cluster: list, describe, move their offsets, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wiesel.broker.client import TIMEOUT_SECONDS, Cluster, kafka_errors, make_client, translated
from wiesel.broker.errors import BrokerError
from wiesel.core.errors import MissingTopicError

if TYPE_CHECKING:
    from confluent_kafka import TopicPartition

_NEVER_COMMITTED = -1001


@dataclass(frozen=True)
class Group:
    """A consumer group: `state` as Kafka names it (Stable, Empty, Dead, …), `kind` Classic or Consumer."""

    group: str
    state: str
    kind: str


@dataclass(frozen=True)
class Member:
    """One consumer of a group and the partitions it has, as `topic-partition`."""

    member: str
    client: str
    host: str
    partitions: tuple[str, ...]


@dataclass(frozen=True)
class GroupOffset:
    """How far a group has come in a partition; `committed` is the offset of the next record it will read."""

    topic: str
    partition: int
    committed: int
    earliest: int
    end: int

    @property
    def lag(self) -> int:
        """Records that it has still to read; those that are gone are not counted."""
        return max(0, self.end - max(self.committed, self.earliest))


@dataclass(frozen=True)
class GroupDescription:
    """A group, its members and its committed offsets."""

    group: str
    state: str
    assignor: str
    coordinator: str
    members: list[Member]
    offsets: list[GroupOffset]


@dataclass(frozen=True)
class Target:
    """
    Where offsets are moved to: exactly one of these.

    Args:
        earliest: the first record that is kept.
        latest: behind the last one.
        offset: this offset, or the nearest that is kept.
        timestamp: the first record of that time (milliseconds) or later.
        shift: so many records further, or back.
    """

    earliest: bool = False
    latest: bool = False
    offset: int | None = None
    timestamp: int | None = None
    shift: int | None = None


class Groups:
    """Asks about the groups of one cluster; every call raises one of our errors, with what to do."""

    def __init__(self, where: str | Cluster, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        from confluent_kafka.admin import AdminClient

        self._where = where
        self._timeout = timeout_seconds
        self._client = make_client(AdminClient, where)

    def all(self) -> list[Group]:
        """All groups, by name."""
        with kafka_errors(self._where):
            answer = self._client.list_consumer_groups(request_timeout=self._timeout).result()
        if not answer.valid and answer.errors:
            raise translated(answer.errors[0].args[0], self._where, "")
        return sorted(
            (Group(one.group_id, _name(one.state), _name(one.type)) for one in answer.valid), key=lambda one: one.group
        )

    def describe(self, group: str) -> GroupDescription:
        """A group with its members, and the offsets that it has committed in any topic."""
        with kafka_errors(self._where):
            found = self._client.describe_consumer_groups([group], request_timeout=self._timeout)[group].result()
        offsets = self.offsets(group)
        if _name(found.state) == "Dead" and not offsets:
            raise BrokerError(f"there is no group {group!r}. `wiesel kafka groups list` shows those that there are.")
        members = [
            Member(
                one.member_id,
                one.client_id,
                one.host,
                tuple(f"{place.topic}-{place.partition}" for place in one.assignment.topic_partitions),
            )
            for one in found.members
        ]
        coordinator = f"{found.coordinator.host}:{found.coordinator.port}" if found.coordinator else ""
        return GroupDescription(
            group, _name(found.state), found.partition_assignor or "", coordinator, members, offsets
        )

    def offsets(self, group: str, topics: Sequence[str] | None = None) -> list[GroupOffset]:
        """What a group has committed, in these topics or in any, with the ends of the partitions."""
        # By a consumer of the group that joins nothing: the admin client's question for a group's offsets can take the
        # process down while the group's coordinator is being loaded.
        with self._consumer(group) as ask:
            places = [place for place in ask.committed(ask.partitions(topics)) if place.offset != _NEVER_COMMITTED]
            result = []
            for place in places:
                earliest, end = ask.ends(place)
                result.append(GroupOffset(place.topic, place.partition, place.offset, earliest, end))
        return result

    def ends(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        """(topic, partition) → first offset that is kept, and the one behind the last."""
        from confluent_kafka import TopicPartition

        with self._consumer("wiesel-offsets") as ask:  # a consumer must name a group; nothing is committed
            return {place: ask.ends(TopicPartition(*place)) for place in places}

    def reset(self, group: str, topics: Sequence[str], target: Target, *, execute: bool) -> list[GroupOffset]:
        """
        Move a group's offsets in all partitions of these topics (all that it has committed, if none are named).

        Returns the offsets that it has afterwards, or would have if `execute` is not set.

        Raises BrokerError while the group has members: they would go on, and commit over it.
        """
        from confluent_kafka import TopicPartition

        self._require_no_members(group)
        with self._consumer(group) as ask:
            known = {
                (place.topic, place.partition): place.offset for place in ask.committed(ask.partitions(topics or None))
            }
            result = []
            for (topic, partition), committed in known.items():
                if not topics and committed == _NEVER_COMMITTED:
                    continue
                place = TopicPartition(topic, partition)
                earliest, end = ask.ends(place)
                moved = ask.find(place, target, committed, earliest, end)
                result.append(GroupOffset(topic, partition, moved, earliest, end))
            if not result:
                raise BrokerError(f"group {group!r} has committed nothing; name the topics: --topic NAME.")
            if execute:
                ask.commit([TopicPartition(one.topic, one.partition, one.committed) for one in result])
        return result

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> list[GroupOffset]:
        """Commit (topic, partition) → next offset for a group without members, and return what it has then.

        Raises BrokerError while the group has members: they would commit over it.
        """
        from confluent_kafka import TopicPartition

        self._require_no_members(group)
        with self._consumer(group) as ask:
            ask.commit([TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()])
        return self.offsets(group, sorted({topic for topic, _ in offsets}))

    def delete(self, groups: Sequence[str]) -> None:
        """Forget groups and their offsets; the first that fails raises."""
        with kafka_errors(self._where):
            tasks = self._client.delete_consumer_groups(list(groups), request_timeout=self._timeout)
            for task in tasks.values():
                task.result()

    def _require_no_members(self, group: str) -> None:
        with kafka_errors(self._where):
            found = self._client.describe_consumer_groups([group], request_timeout=self._timeout)[group].result()
        if found.members:
            raise BrokerError(
                f"group {group!r} has {len(found.members)} members, which would go on where they are. Stop them first."
            )

    def _consumer(self, group: str) -> _GroupConsumer:
        return _GroupConsumer(self._where, group, self._timeout)


class _GroupConsumer:
    """A consumer that belongs to a group's offsets without being a member; a context that leaves the cluster."""

    def __init__(self, where: str | Cluster, group: str, timeout: float) -> None:
        from confluent_kafka import Consumer

        self._where = where
        self._timeout = timeout
        self._consumer = make_client(Consumer, where, {"group.id": group, "enable.auto.commit": False})

    def __enter__(self) -> _GroupConsumer:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def partitions(self, topics: Sequence[str] | None) -> list[TopicPartition]:
        """All partitions of these topics, or of all that are not Kafka's own."""
        from confluent_kafka import TopicPartition

        with kafka_errors(self._where):
            found: Mapping[str, Any] = self._consumer.list_topics(timeout=self._timeout).topics
        if missing := [name for name in topics or () if name not in found]:
            raise MissingTopicError(f"there is no topic {missing[0]!r}. `wiesel kafka topics list` shows them.")
        names = topics if topics is not None else [name for name in found if not name.startswith("__")]
        return [TopicPartition(name, number) for name in sorted(names) for number in sorted(found[name].partitions)]

    def committed(self, places: list[TopicPartition]) -> list[TopicPartition]:
        """The places with the offsets that the group has committed, -1001 where none."""
        if not places:
            return []
        with kafka_errors(self._where):
            return self._consumer.committed(places, self._timeout)

    def ends(self, place: TopicPartition) -> tuple[int, int]:
        """First offset that is kept, and the one behind the last."""
        with kafka_errors(self._where, place.topic):
            found = self._consumer.get_watermark_offsets(place, self._timeout)
        return (int(found[0]), int(found[1]))

    def find(self, place: TopicPartition, target: Target, committed: int, earliest: int, end: int) -> int:
        """The offset that `target` means in a partition."""
        from confluent_kafka import TopicPartition

        if target.earliest:
            return earliest
        if target.latest:
            return end
        if target.timestamp is not None:
            asked = TopicPartition(place.topic, place.partition, target.timestamp)
            with kafka_errors(self._where, place.topic):
                offset = self._consumer.offsets_for_times([asked], self._timeout)[0].offset
            return end if offset < 0 else offset  # no record is that young
        wanted = target.offset if target.offset is not None else max(committed, 0) + (target.shift or 0)
        return min(max(wanted, earliest), end)

    def commit(self, places: list[TopicPartition]) -> None:
        """Commit for the group."""
        with kafka_errors(self._where):
            for place in self._consumer.commit(offsets=places, asynchronous=False) or ():
                if place.error is not None:
                    raise translated(place.error, self._where, place.topic)


def _name(of_kafka: Any) -> str:
    """`CONSUMER_GROUP_STATE_STABLE`'s enum name as Kafka's tools write it: Stable."""
    return str(getattr(of_kafka, "name", of_kafka or "")).replace("_", " ").title().replace(" ", "")

"""Where reading starts and stops: Flink's ``OffsetsInitializer`` as data, resolved to numbers before reading begins.

Offsets are resolved once, by the enumerator, and travel in the splits. So a job that began at "latest" and fails before
its first record comes back to the offset it had seen, not to a later latest.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wiesel.connectors.kafka.errors import OffsetOutOfRangeError
from wiesel.connectors.kafka.partitions import Partition


class OffsetResetStrategy(enum.Enum):
    """What to do for a partition without an offset (Flink: ``OffsetResetStrategy``)."""

    LATEST = "latest"
    EARLIEST = "earliest"
    NONE = "none"


class OffsetLookup(Protocol):
    """The questions that an initializer may ask the cluster; every method may wait."""

    def earliest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the offsets of the oldest records."""

    def latest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the offsets after the newest records."""

    def at_timestamp(self, partitions: Sequence[Partition], timestamp_ms: int) -> dict[Partition, int | None]:
        """Return the offsets of the first records not older than ``timestamp_ms``; None where there is none."""

    def committed(self, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        """Return the consumer group's offsets; None where it has none."""


@dataclass(frozen=True, slots=True)
class Earliest:
    """The oldest record."""

    def resolve(self, partitions: Sequence[Partition], lookup: OffsetLookup) -> dict[Partition, int]:
        """Return the offset for each partition."""
        return lookup.earliest(partitions)


@dataclass(frozen=True, slots=True)
class Latest:
    """Behind the newest record; read_committed sources mean the newest one that is settled."""

    def resolve(self, partitions: Sequence[Partition], lookup: OffsetLookup) -> dict[Partition, int]:
        """Return the offset for each partition."""
        return lookup.latest(partitions)


@dataclass(frozen=True, slots=True)
class AtTimestamp:
    """The first record whose timestamp is not before ``timestamp_ms``, else behind the newest."""

    timestamp_ms: int

    def resolve(self, partitions: Sequence[Partition], lookup: OffsetLookup) -> dict[Partition, int]:
        """Return the offset for each partition."""
        found = lookup.at_timestamp(partitions, self.timestamp_ms)
        return _with_fallback(partitions, found, lookup.latest)


@dataclass(frozen=True, slots=True)
class Committed:
    """What the consumer group has committed."""

    reset: OffsetResetStrategy = OffsetResetStrategy.NONE

    def resolve(self, partitions: Sequence[Partition], lookup: OffsetLookup) -> dict[Partition, int]:
        """Return the offset for each partition."""
        found = lookup.committed(partitions)
        return _with_fallback(partitions, found, _fallback(self.reset, lookup, "has no committed offset"))


@dataclass(frozen=True, slots=True)
class Specific:
    """Offsets by partition, given by the user; others follow ``reset``."""

    offsets: Mapping[Partition, int]
    reset: OffsetResetStrategy = OffsetResetStrategy.EARLIEST

    def resolve(self, partitions: Sequence[Partition], lookup: OffsetLookup) -> dict[Partition, int]:
        """Return the offset for each partition."""
        found = {partition: self.offsets.get(partition) for partition in partitions}
        return _with_fallback(partitions, found, _fallback(self.reset, lookup, "is given no offset"))


OffsetsInitializer = Earliest | Latest | AtTimestamp | Committed | Specific


def reset_strategy_of(initializer: OffsetsInitializer) -> OffsetResetStrategy:
    """Return the reset strategy that comes with an initializer, as Flink's ``getAutoOffsetResetStrategy``."""
    if isinstance(initializer, Committed | Specific):
        return initializer.reset
    return OffsetResetStrategy.EARLIEST if isinstance(initializer, Earliest) else OffsetResetStrategy.LATEST


_Resolve = Callable[[Sequence[Partition]], dict[Partition, int]]


def _with_fallback(
    partitions: Sequence[Partition], found: Mapping[Partition, int | None], fallback: _Resolve
) -> dict[Partition, int]:
    missing = [partition for partition in partitions if found.get(partition) is None]
    resolved = {partition: offset for partition, offset in found.items() if offset is not None}
    return resolved | fallback(missing) if missing else resolved


def _fallback(reset: OffsetResetStrategy, lookup: OffsetLookup, problem: str) -> _Resolve:
    if reset is OffsetResetStrategy.EARLIEST:
        return lookup.earliest
    if reset is OffsetResetStrategy.LATEST:
        return lookup.latest

    def refuse(partitions: Sequence[Partition]) -> dict[Partition, int]:
        names = ", ".join(partition.split_id for partition in partitions)
        raise OffsetOutOfRangeError(
            f"{names} {problem}, and the offset reset strategy is NONE. Commit offsets for the group first, or give "
            "the initializer KafkaOffsetResetStrategy.EARLIEST or LATEST."
        )

    return refuse

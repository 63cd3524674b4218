"""What travels between tasks: batches of records and the control elements that keep their place among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: The timestamp of a record that has none, and the watermark before the first one (Java's ``Long.MIN_VALUE``).
MIN_TIMESTAMP: Final = -(2**63)
#: The watermark after the last record: event time is over (Java's ``Long.MAX_VALUE``).
MAX_WATERMARK: Final = 2**63 - 1


class Batch:
    """Records in the order they were emitted.

    ``values[i]`` has the event time ``timestamps[i]`` (milliseconds, or ``MIN_TIMESTAMP``) and, on a keyed edge, the
    key ``keys[i]``. A batch holds whatever was there; nobody waits to fill one.
    """

    __slots__ = ("keys", "timestamps", "values")

    def __init__(self, values: list[Any], timestamps: list[int], keys: list[Any] | None = None) -> None:
        self.values = values
        self.timestamps = timestamps
        self.keys = keys

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Watermark:
    """No record with a timestamp at or below ``timestamp`` follows, but for late ones."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class WatermarkStatus:
    """Whether the channel takes part in the minimum of watermarks (Flink: ``WatermarkStatus``)."""

    idle: bool


@dataclass(frozen=True, slots=True)
class CheckpointBarrier:
    """Divides the records that belong to checkpoint ``checkpoint_id`` from those after it.

    After a barrier with ``suspend`` nothing more is processed: the job is stopping or its input is over.
    """

    checkpoint_id: int
    suspend: bool = False


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """The last element of a channel whose upstream task has no more records."""


@dataclass(frozen=True, slots=True)
class EndOfKey:
    """No record of the current key follows, so its event time is over (sorted input of BATCH mode).

    It does not travel: the gate that sorts a task's input makes it.
    """


Element = Batch | Watermark | WatermarkStatus | CheckpointBarrier | EndOfInput

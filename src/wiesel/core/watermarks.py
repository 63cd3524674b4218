"""Watermark strategies: how event time is read off the records (mirrors ``WatermarkStrategy``).

A strategy is data. The runtime builds one generator for each split (``from_source``) or subtask
(``assign_timestamps_and_watermarks``), feeds it the highest timestamp of each batch and asks it every
``pipeline.auto-watermark-interval``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wiesel.core.time import Duration


class TimestampAssigner(ABC):
    """Extracts a record's event time (Flink: ``TimestampAssigner``)."""

    @abstractmethod
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        """Return milliseconds since the epoch.

        Args:
            value: the record.
            record_timestamp: the timestamp it has so far, -2**63 when it has none.
        """


@dataclass(frozen=True, slots=True)
class Alignment:
    """Sources of one group do not run further ahead than ``max_drift_ms`` (Flink: watermark alignment)."""

    group: str
    max_drift_ms: int
    update_interval_ms: int


@dataclass(frozen=True)
class WatermarkStrategy:
    """How timestamps and watermarks are made; every ``with_...`` returns a new strategy.

    Attributes:
        out_of_orderness_ms: the watermark trails the highest timestamp by this much and one millisecond; None makes
            no watermarks at all.
        timestamp_assigner: overrides the source's timestamps.
        idle_timeout_ms: after so long without a record an input no longer holds the watermark back.
        alignment: see ``Alignment``.
        advance_after_ms: after so long without a record the watermark of an input goes on with the wall clock; set by
            ``wiesel.watermark.advance-after``, since no Flink has it.
    """

    out_of_orderness_ms: int | None = None
    timestamp_assigner: TimestampAssigner | None = None
    idle_timeout_ms: int | None = None
    alignment: Alignment | None = None
    advance_after_ms: int | None = None

    def with_timestamp_assigner(self, timestamp_assigner: TimestampAssigner) -> WatermarkStrategy:
        """Return the strategy with timestamps taken by ``timestamp_assigner``.

        Raises:
            AttributeError: it is a function, not a ``TimestampAssigner`` (as PyFlink fails for a lambda).
        """
        if not hasattr(timestamp_assigner, "extract_timestamp"):
            raise AttributeError(
                f"{type(timestamp_assigner).__name__!r} object has no attribute 'extract_timestamp': "
                f"pass an instance of a TimestampAssigner subclass, not a function."
            )
        return replace(self, timestamp_assigner=timestamp_assigner)

    def with_idleness(self, idle_timeout: Duration) -> WatermarkStrategy:
        """Return the strategy with inputs left out of the minimum after ``idle_timeout`` without a record."""
        milliseconds = idle_timeout.to_millis()
        if milliseconds <= 0:
            raise ValueError(f"The idle timeout must be positive, got {milliseconds} ms.")
        return replace(self, idle_timeout_ms=milliseconds)

    def with_watermark_alignment(
        self, watermark_group: str, max_allowed_watermark_drift: Duration, update_interval: Duration | None = None
    ) -> WatermarkStrategy:
        """Return the strategy with its readers held within ``max_allowed_watermark_drift`` of the group's slowest.

        Args:
            watermark_group: sources of this name, in the whole job, are aligned with each other.
            max_allowed_watermark_drift: how far a split may be ahead of the slowest.
            update_interval: how often readers report and are told; one second when None.
        """
        drift = max_allowed_watermark_drift.to_millis()
        interval = 1000 if update_interval is None else update_interval.to_millis()
        if drift < 0:
            raise ValueError(f"The maximum allowed watermark drift cannot be negative, got {drift} ms.")
        if interval <= 0:
            raise ValueError(f"The update interval of a watermark alignment must be positive, got {interval} ms.")
        return replace(self, alignment=Alignment(watermark_group, drift, interval))

    @staticmethod
    def for_monotonous_timestamps() -> WatermarkStrategy:
        """Return a strategy for timestamps that only ascend within a split."""
        return WatermarkStrategy(out_of_orderness_ms=0)

    @staticmethod
    def for_bounded_out_of_orderness(max_out_of_orderness: Duration) -> WatermarkStrategy:
        """Return a strategy for records that come at most ``max_out_of_orderness`` late."""
        return WatermarkStrategy(out_of_orderness_ms=max_out_of_orderness.to_millis())

    @staticmethod
    def no_watermarks() -> WatermarkStrategy:
        """Return a strategy without watermarks; event time moves only at the end of a bounded input."""
        return WatermarkStrategy()

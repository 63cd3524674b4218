"""Amounts and points of time as ``pyflink.common.time`` has them: ``Time``, ``Duration``, ``Instant``."""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["Duration", "Instant", "Time", "to_millis"]

_NANOS = 1_000_000_000


class Time:
    """An interval in milliseconds, what window assigners take (Flink 1.x: ``Time``)."""

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def to_milliseconds(self) -> int:
        """Return the length in milliseconds."""
        return self._milliseconds

    @staticmethod
    def milliseconds(milliseconds: int) -> Time:
        """Return an interval of so many milliseconds."""
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds: int) -> Time:
        """Return an interval of so many seconds."""
        return Time(seconds * 1000)

    @staticmethod
    def minutes(minutes: int) -> Time:
        """Return an interval of so many minutes."""
        return Time(minutes * 60_000)

    @staticmethod
    def hours(hours: int) -> Time:
        """Return an interval of so many hours."""
        return Time(hours * 3_600_000)

    @staticmethod
    def days(days: int) -> Time:
        """Return an interval of so many days."""
        return Time(days * 86_400_000)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self._milliseconds == other._milliseconds

    def __hash__(self) -> int:
        return hash((Time, self._milliseconds))

    def __str__(self) -> str:
        return f"{self._milliseconds} ms"

    def __repr__(self) -> str:
        return f"Time({self._milliseconds})"


class Duration:
    """An amount of time with nanoseconds, what watermark strategies take (``java.time.Duration``)."""

    __slots__ = ("_nanos",)

    def __init__(self, nanos: int) -> None:
        # PyFlink's constructor takes a Java object; ours takes what such an object would hold.
        self._nanos = nanos

    @staticmethod
    def of_days(days: int) -> Duration:
        """Return a duration of so many days of 24 hours."""
        return Duration(_whole(days, "days") * 86_400 * _NANOS)

    @staticmethod
    def of_hours(hours: int) -> Duration:
        """Return a duration of so many hours."""
        return Duration(_whole(hours, "hours") * 3_600 * _NANOS)

    @staticmethod
    def of_millis(millis: int) -> Duration:
        """Return a duration of so many milliseconds."""
        return Duration(_whole(millis, "millis") * 1_000_000)

    @staticmethod
    def of_minutes(minutes: int) -> Duration:
        """Return a duration of so many minutes."""
        return Duration(_whole(minutes, "minutes") * 60 * _NANOS)

    @staticmethod
    def of_nanos(nanos: int) -> Duration:
        """Return a duration of so many nanoseconds."""
        return Duration(_whole(nanos, "nanos"))

    @staticmethod
    def of_seconds(seconds: int) -> Duration:
        """Return a duration of so many seconds."""
        return Duration(_whole(seconds, "seconds") * _NANOS)

    def to_millis(self) -> int:
        """Return the whole milliseconds, rounded towards negative infinity as Java does."""
        return self._nanos // 1_000_000

    def to_timedelta(self) -> timedelta:
        """Return the same amount as a ``timedelta``, which holds microseconds."""
        return timedelta(microseconds=self._nanos // 1000)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self._nanos == other._nanos

    def __hash__(self) -> int:
        return hash((Duration, self._nanos))

    def __str__(self) -> str:
        """Return ISO-8601 text as Java prints it, such as ``PT1M30S`` or ``PT0.2S``."""
        seconds, nanos = divmod(abs(self._nanos), _NANOS)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        sign = "-" if self._nanos < 0 else ""
        text = f"{sign}{hours}H" if hours else ""
        text += f"{sign}{minutes}M" if minutes else ""
        if seconds or nanos:
            fraction = re.sub(r"0+$", "", f".{nanos:09}") if nanos else ""
            text += f"{sign}{seconds}{fraction}S"
        return f"PT{text or '0S'}"

    def __repr__(self) -> str:
        return f"Duration({self})"


class Instant:
    """A point on the UTC time line: seconds since 1970 and nanoseconds of that second (``java.time.Instant``)."""

    __slots__ = ("nanos", "seconds")

    def __init__(self, seconds: int, nanos: int) -> None:
        self.seconds = seconds
        self.nanos = nanos

    def to_epoch_milli(self) -> int:
        """Return milliseconds since 1970, rounded towards negative infinity as Java does."""
        return self.seconds * 1000 + self.nanos // 1_000_000

    @staticmethod
    def of_epoch_milli(epoch_milli: int) -> Instant:
        """Return the point so many milliseconds after 1970."""
        seconds, millis = divmod(epoch_milli, 1000)
        return Instant(seconds, millis * 1_000_000)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instant) and (self.seconds, self.nanos) == (other.seconds, other.nanos)

    def __hash__(self) -> int:
        return hash((Instant, self.seconds, self.nanos))

    def __repr__(self) -> str:
        return f"Instant<{self.seconds}, {self.nanos}>"


def to_millis(amount: object) -> int:
    """Return milliseconds of whatever a script gives as an amount of time; an int already is milliseconds."""
    if isinstance(amount, Time):
        return amount.to_milliseconds()
    if isinstance(amount, Duration):
        return amount.to_millis()
    if isinstance(amount, timedelta):
        return round(amount.total_seconds() * 1000)
    if isinstance(amount, int):
        return amount
    kind = type(amount).__name__
    raise TypeError(f"Expected Time, Duration, timedelta or milliseconds as int, got {kind}: {amount!r}")


def _whole(amount: int, unit: str) -> int:
    if isinstance(amount, int):
        return amount
    raise TypeError(f"Duration.of_{unit} takes an int, got {type(amount).__name__}: {amount!r}")

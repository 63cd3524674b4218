"""Dates, times of day and timestamps without a zone (Flink: ``SqlTimeTypeInfo`` and ``LocalTimeTypeInfo``).

Flink's classes of ``java.sql`` hash by the milliseconds of the local zone; Wiesel takes UTC for it, the default of
containers, so that a key's subtask does not depend on the machine.
"""

from __future__ import annotations

import datetime
import struct
from enum import Enum
from typing import Any

from wiesel.core import java_hash, java_text
from wiesel.core.types.base import Coercer, TypeInformation, mismatch
from wiesel.core.types.codec import (
    Reader,
    Writer,
    converted_reader,
    converted_writer,
    fixed_reader,
    fixed_writer,
)

_EPOCH = datetime.datetime.fromisoformat("1970-01-01")
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = datetime.timedelta(microseconds=1)
_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")


def _days(value: datetime.date) -> int:
    return value.toordinal() - _EPOCH_DAY


def _date_of(days: int) -> datetime.date:
    return datetime.date.fromordinal(days + _EPOCH_DAY)


def _micros_of_day(value: datetime.time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def _time_of(micros: int) -> datetime.time:
    return (_EPOCH + datetime.timedelta(microseconds=micros)).time()


def _micros(value: datetime.datetime) -> int:
    return (value - _EPOCH) // _MICROSECOND


def _datetime_of(micros: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=micros)


def _whole_millis(micros: int) -> int:
    return micros - micros % 1000


class SqlTimeTypeInfo(TypeInformation):
    """Gives the types of ``java.sql``."""

    @staticmethod
    def DATE() -> DateTypeInfo:
        """Return the type of ``datetime.date``."""
        return DateTypeInfo()

    @staticmethod
    def TIME() -> TimeTypeInfo:
        """Return the type of ``datetime.time``."""
        return TimeTypeInfo()

    @staticmethod
    def TIMESTAMP() -> TimestampTypeInfo:
        """Return the type of ``datetime.datetime``."""
        return TimestampTypeInfo()


class _Plain(TypeInformation):
    """A type without parameters: equal to every other one of its class."""

    def need_conversion(self) -> bool:
        """See the base class."""
        return True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return type(self).__name__


class DateTypeInfo(_Plain):
    """A ``datetime.date``; a datetime loses its time of day."""

    def to_internal_type(self, obj: Any) -> Any:
        """Return days since 1970."""
        return None if obj is None else _days(obj)

    def from_internal_type(self, obj: Any) -> Any:
        """Return the date so many days after 1970."""
        return None if obj is None else _date_of(obj)

    def coercer(self) -> Coercer:
        """See the base class."""
        return _coerce_date

    def writer(self) -> Writer:
        """See the base class."""
        return converted_writer(_days, fixed_writer(_INT))

    def reader(self) -> Reader:
        """See the base class."""
        return converted_reader(fixed_reader(_INT), _date_of)

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        return java_hash.date_hash(_days(value) * 86_400_000)


class TimeTypeInfo(_Plain):
    """A ``datetime.time`` of whole milliseconds; what is finer is cut off, a zone is dropped."""

    def to_internal_type(self, obj: Any) -> Any:
        """Return microseconds of the day."""
        return None if obj is None else _micros_of_day(obj)

    def from_internal_type(self, obj: Any) -> Any:
        """Return the time so many microseconds after midnight."""
        return None if obj is None else _time_of(obj)

    def coercer(self) -> Coercer:
        """See the base class."""
        return _coerce_time

    def writer(self) -> Writer:
        """See the base class."""
        return converted_writer(lambda value: _micros_of_day(value) // 1000, fixed_writer(_INT))

    def reader(self) -> Reader:
        """See the base class."""
        return converted_reader(fixed_reader(_INT), lambda millis: _time_of(millis * 1000))

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        return java_hash.date_hash(_micros_of_day(value) // 1000)

    def text(self, value: Any) -> str:
        """Return the time to the second: ``java.sql.Time`` shows no more."""
        return str(value.replace(microsecond=0))


class TimestampTypeInfo(_Plain):
    """A ``datetime.datetime`` of whole milliseconds; what is finer is cut off, a zone is dropped."""

    def to_internal_type(self, obj: Any) -> Any:
        """Return microseconds since 1970, read as UTC."""
        return None if obj is None else _micros(obj.replace(tzinfo=None))

    def from_internal_type(self, obj: Any) -> Any:
        """Return the datetime so many microseconds after 1970."""
        return None if obj is None else _datetime_of(obj)

    def coercer(self) -> Coercer:
        """See the base class."""
        return _coerce_timestamp

    def writer(self) -> Writer:
        """See the base class."""
        return converted_writer(lambda value: _micros(value) // 1000, fixed_writer(_LONG))

    def reader(self) -> Reader:
        """See the base class."""
        return converted_reader(fixed_reader(_LONG), lambda millis: _datetime_of(millis * 1000))

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        return java_hash.date_hash(_micros(value) // 1000)

    def text(self, value: Any) -> str:
        """See the base class."""
        return java_text.sql_timestamp_text(value)


class LocalTimeTypeInfo(TypeInformation):
    """A date, a time or both, of ``java.time``: microseconds are kept."""

    class TimeType(Enum):
        """Which of the three it is."""

        LOCAL_DATE = 0
        LOCAL_TIME = 1
        LOCAL_DATE_TIME = 2

    def __init__(self, time_type: TimeType) -> None:
        super().__init__()
        self._time_type = time_type

    @property
    def time_type(self) -> TimeType:
        """Which of the three it is."""
        return self._time_type

    def coercer(self) -> Coercer:
        """See the base class."""
        return _LOCAL_COERCERS[self._time_type]

    def writer(self) -> Writer:
        """See the base class."""
        if self._time_type is self.TimeType.LOCAL_DATE:
            return converted_writer(_days, fixed_writer(_INT))
        is_time = self._time_type is self.TimeType.LOCAL_TIME
        return converted_writer(_micros_of_day if is_time else _micros, fixed_writer(_LONG))

    def reader(self) -> Reader:
        """See the base class."""
        if self._time_type is self.TimeType.LOCAL_DATE:
            return converted_reader(fixed_reader(_INT), _date_of)
        is_time = self._time_type is self.TimeType.LOCAL_TIME
        return converted_reader(fixed_reader(_LONG), _time_of if is_time else _datetime_of)

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        if self._time_type is self.TimeType.LOCAL_DATE:
            return java_hash.local_date_hash(value)
        if self._time_type is self.TimeType.LOCAL_TIME:
            return java_hash.local_time_hash(value)
        return java_hash.local_date_hash(value.date()) ^ java_hash.local_time_hash(value.time())

    def text(self, value: Any) -> str:
        """See the base class."""
        if self._time_type is self.TimeType.LOCAL_DATE:
            return str(value)
        if self._time_type is self.TimeType.LOCAL_TIME:
            return java_text.local_time_text(value)
        return f"{value.date()}T{java_text.local_time_text(value.time())}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalTimeTypeInfo) and self._time_type is other._time_type

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return f"LocalTimeTypeInfo<{self._time_type.name}>"


def _coerce_date(value: Any) -> Any:
    if type(value) is datetime.date:
        return value
    if isinstance(value, datetime.date):
        return datetime.date(value.year, value.month, value.day)
    raise mismatch("a datetime.date for SQL_DATE", value)


def _coerce_time(value: Any) -> Any:
    if isinstance(value, datetime.time):
        return value.replace(microsecond=_whole_millis(value.microsecond), tzinfo=None, fold=0)
    raise mismatch("a datetime.time for SQL_TIME", value)


def _coerce_timestamp(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.replace(microsecond=_whole_millis(value.microsecond), tzinfo=None, fold=0)
    raise mismatch("a datetime.datetime for SQL_TIMESTAMP", value)


def _coerce_local_time(value: Any) -> Any:
    if isinstance(value, datetime.time):
        return value.replace(tzinfo=None, fold=0)
    raise mismatch("a datetime.time for LOCAL_TIME", value)


def _coerce_local_date_time(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None, fold=0)
    raise mismatch("a datetime.datetime for LOCAL_DATE_TIME", value)


_LOCAL_COERCERS: dict[LocalTimeTypeInfo.TimeType, Coercer] = {
    LocalTimeTypeInfo.TimeType.LOCAL_DATE: _coerce_date,
    LocalTimeTypeInfo.TimeType.LOCAL_TIME: _coerce_local_time,
    LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME: _coerce_local_date_time,
}

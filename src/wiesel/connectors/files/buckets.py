"""Which folder below the base path a record goes to (Flink: ``BucketAssigner``)."""

from __future__ import annotations

import datetime
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wiesel.connectors.files.date_pattern import date_formatter
from wiesel.core.errors import ConfigurationError, UnsupportedError


class BucketAssigner:
    """Says which bucket a record belongs to; a bucket is a folder below the base path.

    A script may write its own by subclassing it, which runs here and not on PyFlink.
    """

    @staticmethod
    def base_path_bucket_assigner() -> BucketAssigner:
        """Return the assigner that writes all files into the base path itself."""
        return BasePathBucketAssigner()

    @staticmethod
    def date_time_bucket_assigner(format_str: str = "yyyy-MM-dd--HH", timezone_id: str | None = None) -> BucketAssigner:
        """Return the assigner that names folders after the time of writing.

        Args:
            format_str: Java's date pattern.
            timezone_id: such as ``Europe/Berlin``; this machine's time zone when None.
        """
        return DateTimeBucketAssigner(format_str, timezone_id)

    def get_bucket_id(self, value: Any, timestamp: int, now_ms: int) -> str:
        """Return the folder of a record, relative to the base path; empty for the base path itself.

        Args:
            value: the record.
            timestamp: its event time in milliseconds, ``MIN_TIMESTAMP`` when it has none.
            now_ms: the time in milliseconds.
        """
        raise UnsupportedError(f"{type(self).__name__} has no get_bucket_id()")

    def get_java_object(self) -> NoReturn:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the bucket assigner itself.")


class BasePathBucketAssigner(BucketAssigner):
    """All records into the base path."""

    def get_bucket_id(self, value: Any, timestamp: int, now_ms: int) -> str:
        """See the base class."""
        return ""


#: A bucket's name is worked out once for so long, unless its pattern shows fractions of seconds.
_SECOND_MS: Final = 1000


class DateTimeBucketAssigner(BucketAssigner):
    """A folder for each hour, day or whatever the pattern tells apart.

    Args:
        pattern: Java's date pattern.
        timezone_id: the zone; this machine's when None.
    """

    def __init__(self, pattern: str, timezone_id: str | None) -> None:
        date_formatter(pattern)  # a wrong one fails here, in the script
        self._pattern = pattern
        try:
            self._zone = None if timezone_id is None else ZoneInfo(timezone_id)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigurationError(
                f"Unknown time zone {timezone_id!r}; names are such as 'UTC', 'Europe/Berlin'."
            ) from None
        self._step_ms = 1 if "S" in pattern else _SECOND_MS
        self._cached = (-1, "")

    def get_bucket_id(self, value: Any, timestamp: int, now_ms: int) -> str:
        """See the base class."""
        step = now_ms // self._step_ms
        if self._cached[0] != step:
            moment = datetime.datetime.fromtimestamp(now_ms / 1000, self._zone or datetime.UTC)
            if self._zone is None:
                moment = moment.astimezone()
            self._cached = (step, date_formatter(self._pattern)(moment))
        return self._cached[1]

"""Java's date patterns (``yyyy-MM-dd--HH``), for names of buckets (Java: ``DateTimeFormatter.ofPattern``)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Final

from wiesel.core.errors import ConfigurationError

_Moment = datetime.datetime

_FIELDS: Final[dict[str, Callable[[_Moment], int]]] = {
    "y": lambda moment: moment.year,
    "u": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "L": lambda moment: moment.month,
    "d": lambda moment: moment.day,
    "D": lambda moment: moment.timetuple().tm_yday,
    "H": lambda moment: moment.hour,
    "k": lambda moment: moment.hour or 24,
    "K": lambda moment: moment.hour % 12,
    "h": lambda moment: moment.hour % 12 or 12,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
}
_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def date_formatter(pattern: str) -> Callable[[_Moment], str]:
    """Return the function that writes a moment by a Java pattern of numbers, texts in quotes and punctuation.

    Raises:
        ConfigurationError: a letter of the pattern that is not known here.
    """
    parts: list[Callable[[_Moment], str]] = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            raise ConfigurationError(f"The date pattern {pattern!r} has a quote that is not closed.")
        parts.append(_part(match, pattern))
        position = match.end()
    return lambda moment: "".join(part(moment) for part in parts)


def _part(match: re.Match[str], pattern: str) -> Callable[[_Moment], str]:
    text, letter = match[0], match[2]
    if match[1] is not None:
        text = match[1].replace("''", "'") or "'"
    if letter is None:
        return lambda _: text
    width = len(text)
    if letter == "S":
        return lambda moment: f"{moment.microsecond:06d}".ljust(width, "0")[:width]
    field = _FIELDS.get(letter)
    if field is None or (letter in "ML" and width > 2):
        raise ConfigurationError(
            f"The date pattern {pattern!r} uses {text!r}, which is not known here. Use numbers of year, month, day, "
            f"hour, minute and second: yyyy, MM, dd, HH, mm, ss."
        )
    if letter in "yu" and width == 2:
        return lambda moment: f"{moment.year % 100:02d}"
    return lambda moment: f"{field(moment):0{width}d}"

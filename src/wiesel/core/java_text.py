"""How Java prints primitive values, and the one place where a typed value becomes text (``print``, ``write_as_text``).

Typed streams print as Flink prints them, ``(1,a)``, ``+I[1,x]``, ``{k=1}``, ``true``, ``1.0E21``; untyped ones as
Python's ``str``.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wiesel.core.errors import TypeMismatchError

if TYPE_CHECKING:
    from wiesel.core.types import TypeInformation


_SECONDS_OF_400_YEARS = 146_097 * 86_400


def java_text(value: Any, type_info: TypeInformation) -> str:
    """Return ``value``, which ``type_info`` has coerced, as ``String.valueOf`` gives it in Java."""
    return "null" if value is None else type_info.text(value)


def printer(type_info: TypeInformation) -> Callable[[Any], str]:
    """Return the function that makes the text of a stream's records for ``print`` and text files.

    Three cases, as in PyFlink: an untyped value is Python's ``str``; a row is ``+I[1,x]`` over ``str`` of its fields,
    which nothing has coerced yet; any other typed value crosses to Java and prints as Java prints it.
    """
    from wiesel.core.types import RowTypeInfo

    if isinstance(type_info, RowTypeInfo):
        return _row_printer(type_info)
    if type_info.is_identity:
        return type_info.text
    coerce, text = type_info.coercer(), type_info.text
    return lambda value: text(coerce(value))


def _row_printer(type_info: TypeInformation) -> Callable[[Any], str]:
    from wiesel.core.row import Row

    def text(value: Any) -> str:
        if isinstance(value, Row):
            return f"{value.get_row_kind()}[{','.join(map(str, value))}]"
        # PyFlink fails here with a bare AssertionError.
        raise TypeMismatchError(f"Expected Row for {type_info}, got {type(value).__name__}: {value!r}")

    return text


def boolean_text(value: bool) -> str:
    """Return ``Boolean.toString``."""
    return "true" if value else "false"


def double_text(value: float) -> str:
    """Return ``Double.toString`` with the shortest digits that read back the same (Java 19 and newer)."""
    return _special(value) or _java_notation(_two_digits(value, repr(value)))


def float_text(value: float) -> str:
    """Return ``Float.toString``; ``value`` is exactly representable in 32 bits."""
    return _special(value) or _java_notation(_two_digits(value, shortest_float_digits(value)))


def instant_text(seconds: int, nanos: int) -> str:
    """Return ``Instant.toString``: ISO-8601 in UTC with as many groups of three digits as needed."""
    # The calendar repeats every 400 years, so years that Python has no dates for are printed by way of ones it has.
    cycles, seconds = divmod(seconds, _SECONDS_OF_400_YEARS)
    moment = datetime.datetime.fromisoformat("1970-01-01") + datetime.timedelta(seconds=seconds)
    year = moment.year + 400 * cycles
    prefix = "+" if year > 9999 else "-" if year < 0 else ""
    return f"{prefix}{abs(year):04}{moment.isoformat()[4:]}{_fraction(nanos)}Z"


def local_time_text(value: datetime.time) -> str:
    """Return ``LocalTime.toString``, which leaves out seconds that are zero."""
    text = f"{value.hour:02}:{value.minute:02}"
    if value.second or value.microsecond:
        text += f":{value.second:02}{_fraction(value.microsecond * 1000)}"
    return text


def sql_timestamp_text(value: datetime.datetime) -> str:
    """Return ``java.sql.Timestamp.toString``: a fraction without trailing zeros, of one digit at least."""
    fraction = f"{value.microsecond:06}".rstrip("0") or "0"
    return f"{value.replace(microsecond=0).isoformat(' ')}.{fraction}"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    text = f"{nanos:09}"
    while text.endswith("000"):
        text = text[:-3]
    return f".{text}"


def shortest_float_digits(value: float) -> str:
    """Return the shortest Python notation that reads back as the same 32-bit float."""
    target = struct.pack(">f", value)
    for precision in range(1, 9):
        text = f"{value:.{precision}g}"
        try:
            if struct.pack(">f", float(text)) == target:
                return text
        except OverflowError:  # rounded up beyond the largest float
            continue
    return f"{value:.9g}"


def _special(value: float) -> str | None:
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def _two_digits(value: float, number: str) -> str:
    """Java never prints one digit alone but the nearest two: 4.9E-324, where Python has 5e-324."""
    digits = number.partition("e")[0].strip("-0.").replace(".", "").rstrip("0")
    return f"{value:.1e}" if len(digits) == 1 else number


def _java_notation(number: str) -> str:
    """Turn Python's notation of a finite number into Java's: plain from 1e-3 to 1e7, else ``d.dddE±n``."""
    sign, number = ("-", number[1:]) if number.startswith("-") else ("", number)
    mantissa, _, exponent = number.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return f"{sign}0.0"
    # The number is 0.DIGITS times ten to the power of point.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"

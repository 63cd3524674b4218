"""Reads the values of options as Flink writes them: durations, sizes, booleans, numbers, lists, enumerations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_NANOS_OF_UNIT = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "µs": 1_000,
    "ns": 1,
}
_UNIT_OF_LABEL = {
    label: unit
    for unit, labels in {
        "d": ("d", "day", "days"),
        "h": ("h", "hour", "hours"),
        "min": ("m", "min", "minute", "minutes"),
        "s": ("s", "sec", "secs", "second", "seconds"),
        "ms": ("", "ms", "milli", "millis", "millisecond", "milliseconds"),
        "µs": ("µs", "micro", "micros", "microsecond", "microseconds"),
        "ns": ("ns", "nano", "nanos", "nanosecond", "nanoseconds"),
    }.items()
    for label in labels
}
_AMOUNT = re.compile(r"(\d+)\s*([a-zµ]*)")
_ISO = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,9})?)S)?)?",
    re.IGNORECASE,
)

_MAP_PART = r"((?:'(?:[^']|'')*')|[^,:']*)"
_MAP_ENTRY = re.compile(rf"\s*{_MAP_PART}\s*:\s*{_MAP_PART}\s*(?:,|$)")

_BYTES_OF_LABEL = {
    label: 1 << 10 * power
    for power, labels in enumerate(
        (
            ("", "b", "bytes"),
            ("k", "kb", "kibibytes"),
            ("m", "mb", "mebibytes"),
            ("g", "gb", "gibibytes"),
            ("t", "tb", "tebibytes"),
        )
    )
    for label in labels
}


def parse_duration(text: str) -> int:
    """Return milliseconds of ``10 s``, ``100ms``, ``1 min``, ``200`` (milliseconds) or ISO-8601's ``PT1M30S``.

    Raises:
        ValueError: it is no duration, or one that whole milliseconds cannot hold.
    """
    text = text.strip()
    nanos = _iso_nanos(text) if text[:1] in ("P", "p") else _labelled_nanos(text)
    millis, rest = divmod(nanos, 1_000_000)
    if rest:
        raise ValueError("shorter than a millisecond, or with a part that is")
    return millis


def _labelled_nanos(text: str) -> int:
    match = _AMOUNT.fullmatch(text.lower())
    if match is None or match[2] not in _UNIT_OF_LABEL:
        raise ValueError("no duration")
    return int(match[1]) * _NANOS_OF_UNIT[_UNIT_OF_LABEL[match[2]]]


def _iso_nanos(text: str) -> int:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.group("days", "hours", "minutes", "seconds")):
        raise ValueError("no duration")
    whole, _, fraction = (match["seconds"] or "0").partition(".")
    seconds = int(whole) + 60 * int(match["minutes"] or 0) + 3600 * int(match["hours"] or 0)
    seconds += 86_400 * int(match["days"] or 0)
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0"))


def parse_memory_size(text: str) -> int:
    """Return bytes of ``64 mb``, ``1g`` or ``4096``; a kilobyte has 1024 bytes.

    Raises:
        ValueError: it is no size.
    """
    match = re.fullmatch(r"(\d+)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _BYTES_OF_LABEL:
        raise ValueError("no size")
    return int(match[1]) * _BYTES_OF_LABEL[match[2]]


def parse_boolean(text: str) -> bool:
    """Return true or false, whatever the case.

    Raises:
        ValueError: it is neither.
    """
    value = {"true": True, "false": False}.get(text.strip().lower())
    if value is None:
        raise ValueError("neither true nor false")
    return value


def parse_list(text: str) -> list[str]:
    """Return the items of ``a;b`` or ``[a, b]``."""
    from wiesel.core.configuration import Configuration

    return [item.strip() for item in Configuration.parse_list_value(text)]


def parse_map(text: str) -> dict[str, str]:
    """Return the entries of ``a:1,b:2``, with quotes round what holds commas or colons, or of YAML's ``{a: 1, b: 2}``.

    Raises:
        ValueError: it is no such text.
    """
    text = text.strip()
    if text.startswith("{"):
        return _yaml_map(text)
    result, position = {}, 0
    while position < len(text):
        match = _MAP_ENTRY.match(text, position)
        if match is None:
            raise ValueError(f"no name and colon at {text[position : position + 20]!r}")
        result[_unquoted(match[1])] = _unquoted(match[2])
        position = match.end()
    return result


def _yaml_map(text: str) -> dict[str, str]:
    from wiesel.core.options.config_file import parse_yaml

    entries = parse_yaml(text)
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise ValueError("no map of texts")
    return entries


def format_map(entries: Mapping[str, str]) -> str:
    """Return the text that ``parse_map`` reads back."""
    return ",".join(f"{_quoted(str(key))}:{_quoted(str(value))}" for key, value in entries.items())


def _quoted(text: str) -> str:
    if re.fullmatch(r"[^,:'\s][^,:']*(?<!\s)", text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def whole_number(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """Return the parser of a whole number within bounds."""

    def parse(text: str) -> int:
        value = int(text)
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError("out of range")
        return value

    return parse


def decimal_number(low: float) -> Callable[[str], float]:
    """Return the parser of a number that is ``low`` at least."""

    def parse(text: str) -> float:
        value = float(text)
        if not value >= low:
            raise ValueError("out of range")
        return value

    return parse


def one_of(*names: str, **synonyms: str) -> Callable[[str], str]:
    """Return the parser of an enumeration; case, ``-`` and ``_`` do not count. Synonyms name what they stand for."""
    by_folded = {_folded(name): name for name in names} | {_folded(word): name for word, name in synonyms.items()}

    def parse(text: str) -> str:
        found = by_folded.get(_folded(text))
        if found is None:
            raise ValueError("none of them")
        return found

    return parse


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "").replace("_", "")


def parse_ports(text: str) -> range:
    """Return the ports of ``9249`` or ``9250-9260``."""
    first, dash, last = text.partition("-")
    lowest, highest = int(first), int(last) if dash else int(first)
    if not 0 < lowest <= highest < 1 << 16:
        raise ValueError("ports are from 1 to 65535, the smaller one first")
    return range(lowest, highest + 1)

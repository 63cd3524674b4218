"""CSV as Jackson reads and writes it: what Flink's CSV formats are made of."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from wiesel.core.errors import RecordError

#: Jackson does not look at longer texts before it quotes them.
_LOOKED_AT: Final = 24
#: Python's own limit, 128 KiB, is less than what Kafka lets through.
_LARGEST_FIELD: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """The characters of a CSV text.

    Args:
        separator: between fields.
        quote: around fields that need it; None for no quoting.
        escape: before a character that is meant as it is; None for none.
        line_end: behind a row that is written; a reader takes any line end.
        null_literal: how None is written and read; None when nothing is read as None.
        comments: whether a line that begins with ``#`` is left out.
    """

    separator: str = ","
    quote: str | None = '"'
    escape: str | None = None
    line_end: str = "\n"
    null_literal: str | None = None
    comments: bool = False

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Yield the fields of each row.

        Raises:
            RecordError: a quote is not closed.
        """
        csv.field_size_limit(_LARGEST_FIELD)
        reader = csv.reader(
            _unescaped_controls(self._without_comments(lines), self.escape),
            delimiter=self.separator,
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape,
            strict=True,
        )
        try:
            for fields in reader:
                yield fields or [""]  # an empty line is one empty field
        except csv.Error as error:
            raise RecordError(f"Malformed CSV: {error}") from None

    def _without_comments(self, lines: Iterable[str]) -> Iterator[str]:
        return (line for line in lines if not line.startswith("#")) if self.comments else iter(lines)

    def text(self, value: str) -> str:
        """Return a text as it is written: in quotes where Jackson would put them."""
        quote = self.quote
        if quote is None or not value:
            return value
        if len(value) <= _LOOKED_AT and not self._needs_quotes(value):
            return value
        if self.escape is not None:
            value = value.replace(self.escape, self.escape * 2)
        return f"{quote}{value.replace(quote, quote * 2)}{quote}"

    def _needs_quotes(self, value: str) -> bool:
        # Jackson's rough check: every character up to the highest one that has a meaning, and the backslash.
        highest = max(self.separator, self.quote or "", *self.line_end)
        return "\\" in value or (self.escape is not None and self.escape in value) or min(value) <= highest

    def row(self, fields: Iterable[str]) -> str:
        """Return a row with its line end."""
        return self.separator.join(fields) + self.line_end


_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def _unescaped_controls(lines: Iterator[str], escape: str | None) -> Iterator[str]:
    """Turn an escaped ``n``, ``r``, ``t`` or ``0`` into what it stands for, as Jackson does."""
    if escape is None:
        yield from lines
        return
    for line in lines:
        if escape not in line:
            yield line
            continue
        pieces: list[str] = []
        position = 0
        while position < len(line):
            character = line[position]
            if character == escape and position + 1 < len(line):
                following = line[position + 1]
                pieces.append(escape + _CONTROLS.get(following, following))
                position += 2
            else:
                pieces.append(character)
                position += 1
        yield "".join(pieces)


def count_mismatch(expected: int, fields: list[Any]) -> RecordError:
    """Return the error for a row with too few or too many fields."""
    return RecordError(f"Row length mismatch. {expected} fields expected but was {len(fields)}.")

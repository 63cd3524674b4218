"""JDBC's ``?`` parameters in the style of a DB-API driver."""

from __future__ import annotations

import re
from typing import Final

# Texts, quoted names and comments, inside which a question mark is no parameter.
_PIECE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\?|%", re.DOTALL)


def translate(sql: str, paramstyle: str) -> tuple[str, int]:
    """Return the statement with parameters in the driver's style, and how many there are.

    Args:
        sql: a statement with ``?`` for each parameter.
        paramstyle: ``qmark``, ``format`` or ``pyformat`` (PEP 249).
    """
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        piece = match[0]
        if piece == "?":
            count += 1
            return "?" if paramstyle == "qmark" else "%s"
        # Drivers of the format styles read a percent sign everywhere, in texts too.
        return piece if paramstyle == "qmark" else piece.replace("%", "%%")

    return _PIECE.sub(replace, sql), count

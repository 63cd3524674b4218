"""``# wiesel: ignore`` and ``# wiesel: ignore[CODE, …]``: findings on that line are meant."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

from wiesel.check.finding import Finding

_COMMENT: Final = re.compile(r"#\s*wiesel:\s*ignore(?:\[([^\]]*)\])?", re.IGNORECASE)


def without_suppressed(findings: list[Finding], source: str) -> list[Finding]:
    """Return the findings that no comment on any of their lines takes away."""
    ignored = _ignored(source)
    if not ignored:
        return findings
    return [finding for finding in findings if not any(_covers(ignored.get(n), finding) for n in _lines(finding))]


def _lines(finding: Finding) -> range:
    # A class or function is long; its comment stands on its first line.
    last = finding.end_line if finding.end_line - finding.line < 10 else finding.line
    return range(finding.line, last + 1)


def _covers(codes: frozenset[str] | None, finding: Finding) -> bool:
    return codes is not None and (not codes or finding.code in codes)


def _ignored(source: str) -> dict[int, frozenset[str]]:
    """Return for each line with such a comment its codes; no codes are all."""
    found: dict[int, frozenset[str]] = {}
    if "wiesel:" not in source:
        return found
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        comment = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
        if comment:
            found[token.start[0]] = frozenset((comment[1] or "").replace(",", " ").upper().split())
    return found

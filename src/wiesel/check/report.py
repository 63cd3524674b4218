"""Findings as text: a line each for pipes and editors, JSON for programs, tables for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from wiesel.check.finding import Finding
from wiesel.check.rules import Severity

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Version of the JSON report; it changes when a field goes or changes its meaning (docs/check.md).
JSON_VERSION: Final = 1
_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding makes the command fail."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def to_lines(findings: Sequence[Finding]) -> str:
    """Return ``file:line:column: CODE message fix``, a line for each finding, without a newline at the end."""
    return "\n".join(f"{f.file}:{f.line}:{f.column}: {f.code} {f.message} {f.fix}".rstrip() for f in findings)


def to_json(
    findings: Sequence[Finding], files: int, target: str | None, connect: Sequence[Mapping[str, Any]] | None = None
) -> str:
    """Return the report as JSON, in the form that docs/check.md gives; ``connect`` is what --connect found."""
    report = {
        "version": JSON_VERSION,
        "target": target,
        "files": files,
        "findings": [_entry(finding) for finding in findings],
        "summary": _counts(findings),
        **({} if connect is None else {"connect": list(connect)}),
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def _entry(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line or finding.line,
        "end_column": finding.end_column or finding.column,
        "code": finding.code,
        "rule": finding.rule.name,
        "severity": str(finding.severity),
        "message": finding.message,
        "fix": finding.fix or None,
    }


def _counts(findings: Iterable[Finding]) -> dict[str, int]:
    counted = Counter(finding.severity for finding in findings)
    return {str(severity): counted[severity] for severity in Severity}


def summary(findings: Sequence[Finding], files: int) -> str:
    """Return the last line: how much was checked, and what was found."""
    checked = f"{files} script" + ("" if files == 1 else "s")
    counts = [f"{n} {kind}{'' if n == 1 or kind == 'info' else 's'}" for kind, n in _counts(findings).items() if n]
    return f"{checked} checked: {', '.join(counts) or 'nothing found'}"


def to_tables(findings: Sequence[Finding]) -> list[RenderableType]:
    """Return a table for each file, to print with rich."""
    from rich.table import Table
    from rich.text import Text

    tables: list[RenderableType] = []
    for file, found in groupby(findings, key=lambda finding: finding.file):
        table = Table(title=Text(file, style="bold"), title_justify="left", box=None, pad_edge=False, show_header=False)
        for column in ("place", "code", "what"):
            table.add_column(column, no_wrap=column != "what", vertical="top")
        for finding in found:
            what = Text(finding.message)
            if finding.fix:
                what.append(f"\n{finding.fix}", style="green")
            style = _STYLES[finding.severity]
            table.add_row(f"{finding.line}:{finding.column}", Text(finding.code, style=style), what)
        tables.append(table)
    return tables

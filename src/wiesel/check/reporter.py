"""Where rules report to: puts findings together, and leaves out what the script has under control itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wiesel.check.finding import Finding
from wiesel.check.values import UserClass

#: Findings that a try around them takes care of.
_OF_IMPORTS = {"E101", "E102", "E103", "P401", "P403", "W203"}
_OF_MEMBERS = {"E104", "E106", "E107", "P402", "P403", "W203"}

#: Findings that are none on Flink, where the name is served or the setting has an effect.
_NOT_ON_FLINK = {"E106", "E208", "I301", "I302"}


class Reporter:
    """Collects the findings of one script.

    Args:
        file: its path, as findings name it.
        source: its text.
        portable: whether the script is to run on Flink as well.
        tree: what is parsed of it.
    """

    def __init__(self, file: str, source: str, portable: bool, tree: ast.Module) -> None:
        self.file = file
        self.tree = tree
        self._lines = source.splitlines()
        self.portable = portable
        self.findings: list[Finding] = []
        self._seen: set[Finding] = set()
        # A script that chooses its mode may mean BATCH, in which the end of the input is the end of the clock too.
        chooses = "set_runtime_mode" in source or "execution.runtime-mode" in source
        self._quiet: set[str] = {"W204"} if chooses else set()
        self._muted = False
        #: Called for each class of the script (the traps of ``overrides.py``).
        self.class_defined: Callable[[UserClass], None] = lambda _: None

    def report(self, code: str, node: ast.expr | ast.stmt | ast.alias | ast.arg, message: str, fix: str = "") -> None:
        """Add a finding at a node of the script's tree."""
        if self._muted or code in self._quiet or (self.portable and code in _NOT_ON_FLINK):
            return
        line, offset = node.lineno, node.col_offset
        end_line, end_offset = node.end_lineno or line, node.end_col_offset or offset
        if isinstance(node, ast.Attribute):  # the name behind the dot, which in a chain of calls may be lines below
            line, offset = end_line, end_offset - len(node.attr.encode())
        column, end_column = self._column(line, offset), self._column(end_line, end_offset)
        finding = Finding(self.file, line, column, code, message, fix, end_line, end_column)
        if finding not in self._seen:
            self._seen.add(finding)
            self.findings.append(finding)

    def _column(self, line: int, offset: int) -> int:
        """Return the column of an offset in bytes, which is what the parser counts."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return len(text.encode()[:offset].decode(errors="ignore")) + 1

    @contextmanager
    def silenced(self, *, imports: bool, members: bool) -> Iterator[None]:
        """Leave out findings that the script catches as errors."""
        before = self._quiet
        self._quiet = before | (_OF_IMPORTS if imports else set()) | (_OF_MEMBERS if members else set())
        yield
        self._quiet = before

    @contextmanager
    def muted(self, muted: bool = True) -> Iterator[None]:
        """Report nothing."""
        before, self._muted = self._muted, self._muted or muted
        yield
        self._muted = before

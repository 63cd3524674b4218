"""Checks scripts: parses them, walks them, and returns what it finds. Nothing of a script is run or imported."""

from __future__ import annotations

import ast
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wiesel.check import execution, overrides
from wiesel.check.finding import Finding
from wiesel.check.reporter import Reporter
from wiesel.check.suppressions import without_suppressed
from wiesel.check.walker import Walker

#: What a script may be checked for beside Wiesel itself.
TARGETS: Final = ("flink-2.3",)
_NOT_SCRIPTS: Final = {".git", ".hg", ".tox", ".venv", "venv", "__pycache__", "node_modules", "build", "dist"}


def check_source(source: str, file: str = "<script>", target: str | None = None) -> list[Finding]:
    """Check the text of a script.

    Args:
        source: the script.
        file: its path, as findings name it.
        target: one of ``TARGETS`` to report as well what does not run there.

    Returns:
        The findings by line, without those that a comment of the script takes away.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python has to say of the script's own escapes and comparisons
            tree = ast.parse(source, file)
    except (SyntaxError, ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        return [Finding(file, line, column, "E001", f"Not valid Python: {getattr(error, 'msg', None) or error}.")]
    reporter = Reporter(file, source, portable=target is not None, tree=tree)
    reporter.class_defined = lambda cls: overrides.look(cls, reporter)
    try:
        Walker(reporter).walk(tree)
        execution.look(tree, reporter)
    except RecursionError:
        return [Finding(file, 1, 1, "E001", "Too deeply nested to be read.")]
    return without_suppressed(sorted(reporter.findings), source)


def check_file(path: Path, target: str | None = None) -> list[Finding]:
    """Check a script's file; one that cannot be read is a finding too."""
    try:
        with tokenize.open(path) as file:
            source = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        return [Finding(str(path), 1, 1, "E001", f"Cannot be read: {error}.")]
    return check_source(source, str(path), target)


def scripts(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and of folders every ``*.py`` that is not in an environment or build."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in sorted(path.rglob("*.py")):
            if not _NOT_SCRIPTS & set(file.relative_to(path).parts[:-1]):
                yield file

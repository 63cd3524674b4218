"""The programs, what PyFlink was recorded to do with them, and where Wiesel differs on purpose: reading the files."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.parity.runner import Outcome

_HERE: Final = Path(__file__).parent
PROGRAMS: Final = _HERE / "programs"
RECORDINGS: Final = _HERE / "recordings"
DIFFERENCES: Final = _HERE / "differences.toml"
#: The surprises of docs/parity.md, by number.
SURPRISES: Final = range(1, 27)
#: Begins the line that tells how a program failed.
_FAILED: Final = "! "


@dataclass(frozen=True)
class Program:
    """A script, and what its docstring says of it.

    Args:
        script: its file.
        shows: the sentence that it shows to be true.
        covers: surprises (``S7``) and features.
        ordered: whether Flink determines the order of what it prints.
        needs_kafka: whether it wants a broker, its address in ``KAFKA_BOOTSTRAP_SERVERS``, and an empty topic with one
            partition, its name in ``KAFKA_TOPIC``.
    """

    script: Path
    shows: str
    covers: tuple[str, ...]
    ordered: bool
    needs_kafka: bool

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.script.stem


def programs() -> list[Program]:
    """Return all programs, by name."""
    return [_read_program(script) for script in sorted(PROGRAMS.glob("*.py"))]


def _read_program(script: Path) -> Program:
    docstring = ast.get_docstring(ast.parse(script.read_text())) or ""
    headers = dict(re.findall(r"^(Covers|Order|Needs): (.+)$", docstring, re.MULTILINE))
    return Program(
        script,
        shows=docstring.partition("\n")[0],
        covers=tuple(headers["Covers"].split(", ")),
        ordered=headers.get("Order") != "any",
        needs_kafka=headers.get("Needs") == "Kafka",
    )


@dataclass(frozen=True)
class Expectation:
    """What a program prints and how it fails: as recorded from PyFlink, or as stated of Wiesel.

    Args:
        lines: what it prints.
        failure: the class of its error and what that says, or the part that matters; None if it ends well.
    """

    lines: tuple[str, ...]
    failure: str | None

    @classmethod
    def parse(cls, text: str) -> Expectation:
        """Read what ``text()`` wrote."""
        lines = text.splitlines()
        failure = lines.pop().removeprefix(_FAILED) if lines and lines[-1].startswith(_FAILED) else None
        return cls(tuple(lines), failure)

    @classmethod
    def of(cls, outcome: Outcome, *, ordered: bool) -> Expectation:
        """Return what this outcome makes us expect of the next one; without an order it is sorted, to be stable."""
        lines = outcome.lines if ordered else sorted(outcome.lines)
        return cls(tuple(lines), outcome.failure.essence if outcome.failure else None)

    def text(self) -> str:
        """The lines; a last one that begins with an exclamation mark tells the failure."""
        lines = [*self.lines, *([_FAILED + self.failure] if self.failure else [])]
        return "".join(f"{line}\n" for line in lines)

    def is_met_by(self, outcome: Outcome, *, ordered: bool) -> bool:
        """Whether the outcome prints the same and fails with that class and, among other words perhaps, those words."""
        expected, printed = list(self.lines), outcome.lines
        if expected != printed if ordered else sorted(expected) != sorted(printed):
            return False
        if self.failure is None or outcome.failure is None:
            return self.failure is None and outcome.failure is None
        name, _, words = self.failure.partition(": ")
        # Java's class is a part of its stack trace only: nobody can catch it in Python. And Exception says nothing.
        words = re.sub(r"^(?:(?:[a-z]\w*\.)+[A-Z]\w*|Exception): ", "", words)
        return name in outcome.failure.classes and words in outcome.failure.message


def recording(name: str, folder: Path = RECORDINGS) -> Expectation:
    """Return what PyFlink did with a program."""
    return Expectation.parse((folder / f"{name}.txt").read_text())


@dataclass(frozen=True)
class Difference:
    """A difference that is meant.

    Args:
        reason: what differs and why, in a sentence.
        wiesel: what Wiesel does.
    """

    reason: str
    wiesel: Expectation

    def is_only_in_words(self, recorded: Expectation) -> bool:
        """Whether both print the same and fail with the same class of error, in other words."""
        ours, theirs = self.wiesel.failure, recorded.failure
        if ours is None or theirs is None or self.wiesel.lines != recorded.lines:
            return False
        return ours.partition(": ")[0] == theirs.partition(": ")[0]


def differences() -> dict[str, Difference]:
    """Return the deliberate differences by program."""
    entries = tomllib.loads(DIFFERENCES.read_text())
    return {
        name: Difference(" ".join(entry["reason"].split()), Expectation.parse(entry["wiesel"]))
        for name, entry in sorted(entries.items())
    }


def surprises(program: Program) -> Iterator[int]:
    """The numbers of the surprises that a program covers."""
    for covered in program.covers:
        if re.fullmatch(r"S\d+", covered):
            yield int(covered[1:])

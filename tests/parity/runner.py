"""Runs scripts one after another in one process and tells what each printed and how it failed; on either engine.

    python -m tests.parity.runner SCRIPT ...            Wiesel, as under ``wiesel run``
    REFERENCE_PYTHON tests/parity/runner.py --pyflink SCRIPT ...

It is a process of its own for PyFlink, whose JVM prints to the file descriptor and takes seconds to start: one JVM runs
all scripts, and lines of this module's tell where one script's output ends. Only Python's library is imported here, as
PyFlink's environment has nothing of ours.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

#: Begins a line of ours; no program prints it.
_MARK: Final = "\x1e"
#: Stands in the last line of a script's.
ENDED: Final = f'{_MARK}{{"ended"'
_PY4J: Final = "Py4JJavaError"


@dataclass(frozen=True)
class Failure:
    """The exception that a script ended with.

    Args:
        classes: the names of its class and of the classes above; what stands for PyFlink's wrapper of Java's exceptions
            is ``Py4JJavaError`` first of all.
        message: all that it says, causes included.
    """

    classes: list[str]
    message: str

    @property
    def essence(self) -> str:
        """The one line that matters: what the user's code raised, else what the engine found wrong."""
        name = _PY4J if _PY4J in self.classes else self.classes[0]
        return f"{name}: {_essential(self.message)}"


@dataclass(frozen=True)
class Outcome:
    """What a script printed, line by line, and how it failed, if it did."""

    lines: list[str] = field(default_factory=list)
    failure: Failure | None = None


def run_script(script: Path, folder: Path) -> Failure | None:
    """Run a script as ``__main__`` of this process, in this folder, and return what it raised.

    A program that wants Kafka finds its topic's name in KAFKA_TOPIC, made of KAFKA_TOPIC_PREFIX and its own name.
    """
    os.environ["KAFKA_TOPIC"] = f"{os.environ.get('KAFKA_TOPIC_PREFIX', 'parity')}-{script.stem}"
    main = ModuleType("__main__")
    main.__file__ = str(script)
    code = compile(script.read_bytes(), str(script), "exec", dont_inherit=True)
    with _place_of_its_own(main, script, folder):
        try:
            exec(code, main.__dict__)
        except Exception as error:
            return _failure(error)
    return None


@contextmanager
def _place_of_its_own(main: ModuleType, script: Path, folder: Path) -> Iterator[None]:
    before, argv, earlier = sys.modules["__main__"], sys.argv[:], Path.cwd()
    sys.modules["__main__"], sys.argv[:] = main, [str(script)]
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(earlier)
        sys.modules["__main__"], sys.argv[:] = before, argv


def _failure(error: BaseException) -> Failure:
    classes = [cls.__name__ for cls in type(error).__mro__ if cls.__module__ != "typing"]
    if isinstance(error, _py4j_java_error()):
        classes.insert(0, _PY4J)
    message = str(error)
    cause = error.__cause__
    while cause is not None:
        message += f"\n{type(cause).__name__}: {cause}"
        cause = cause.__cause__
    return Failure(classes, message)


def _py4j_java_error() -> type[BaseException]:
    from py4j.protocol import Py4JJavaError  # Wiesel's or the real one: whoever is behind "pyflink"

    error: type[BaseException] = Py4JJavaError
    return error


def _essential(message: str) -> str:
    """The last line of the Python traceback in Java's stack trace, else the innermost cause's, else the first line."""
    if "Traceback (most recent call last):" in message:
        trace = message.partition("Traceback (most recent call last):")[2]
        trace = re.split(r"\n\s*at [\w.$/]+\(", trace)[0]
        raised = [line for line in trace.splitlines() if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
        if raised:
            return raised[-1].strip()
    causes = re.findall(r"^Caused by: (.*)$", message, re.MULTILINE)
    if causes:
        return str(causes[-1]).strip()
    java = re.search(r"^: ([\w.$]+: .*)$", message, re.MULTILINE)
    return java[1].strip() if java else message.partition("\n")[0].strip()


def parse(output: str) -> dict[str, Outcome]:
    """Return each script's outcome, by file name without suffix, from what a process of this module printed."""
    outcomes: dict[str, Outcome] = {}
    for part in output.split(_MARK)[1:]:
        heading, _, rest = part.partition("\n")
        told = json.loads(heading)
        if "begins" in told:
            lines = rest.splitlines()
        else:
            failure = Failure(**told["failure"]) if told["failure"] else None
            outcomes[told["ended"]] = Outcome(lines, failure)
    return outcomes


def _tell(**what: Any) -> None:
    sys.stdout.flush()
    # One write, at the beginning of a line, so that nothing comes in between.
    os.write(1, f"{_MARK}{json.dumps(what)}\n".encode())


def main(arguments: Iterable[str]) -> None:
    """Run the scripts; the command line."""
    # Not one block at the end: what the JVM prints is to stand between the lines where it was printed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    engine, *scripts = arguments if "--pyflink" in arguments else ["--wiesel", *arguments]
    if engine == "--wiesel":
        import wiesel

        wiesel.activate()
    # PyFlink goes back to the folder of its first job for every later one: all have to last.
    with tempfile.TemporaryDirectory(prefix="parity-", ignore_cleanup_errors=True) as scratch:
        for name in scripts:
            script = Path(name).resolve()
            folder = Path(scratch, script.stem)
            folder.mkdir()
            _tell(begins=script.stem)
            failure = run_script(script, folder)
            if failure is not None:
                print(f"{script.stem}: {failure.message}", file=sys.stderr)
            _tell(ended=script.stem, failure=asdict(failure) if failure else None)


if __name__ == "__main__":
    main(sys.argv[1:])

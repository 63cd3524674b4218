"""Runs programs of tests/parity one after another on a cluster: PyFlink's side of `tests.flink.programs`.

    REFERENCE_PYTHON tests/flink/cluster_runner.py SUBMISSION TASKMANAGER_LOG SCRIPT ...

What a job prints goes to the TaskManager's log, as on every cluster, so what came there meanwhile is printed here at a
script's end. Only Python's library, PyFlink and files of ours that need nothing else are imported.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
#: Lines of Flink's own log, of what Java logs without it, with stack traces, and of Python's warnings.
_OF_FLINK: Final = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2} \d+, \d{4} |(WARNING|SEVERE|INFO):|SLF4J|.*Warning: |\s|$|"
    r"Caused by: |(?:[a-z]\w*\.)+[A-Z]\w*(Exception|Error)\b|[A-Z]\w*(Exception|Error)(:|$)"
)
_TRACEBACK: Final = "Traceback (most recent call last):"
_BETWEEN: Final = ("During handling of the above exception", "The above exception was the direct cause")
#: A worker's output and the sink's come through pipes of their own.
_SETTLE_SECONDS: Final = 0.3


def _load(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def printed_by_jobs(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a TaskManager's output that a job printed: neither log nor what workers say of exceptions."""
    in_traceback = False
    for line in lines:
        if line.endswith(_TRACEBACK):
            in_traceback = True
        elif in_traceback:
            in_traceback = line.startswith(" ") or not line  # the exception's own line ends it
        elif not _OF_FLINK.match(line) and not line.startswith(_BETWEEN):
            yield line


def main(submission: Path, log: Path, scripts: list[Path]) -> None:
    """Run them, each in a folder of its own."""
    runner = _load("parity_runner", _ROOT / "tests/parity/runner.py")
    driver = _load("flink_driver", _ROOT / "src/wiesel/flink/driver.py")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    driver.install(json.loads(submission.read_text()))
    with (
        tempfile.TemporaryDirectory(prefix="parity-", ignore_cleanup_errors=True) as scratch,
        log.open("rb") as printed,
    ):
        for script in scripts:
            folder = Path(scratch, script.stem)
            folder.mkdir()
            printed.seek(0, 2)
            runner._tell(begins=script.stem)
            failure = runner.run_script(script, folder)
            time.sleep(_SETTLE_SECONDS)
            for line in printed_by_jobs(printed.read().decode(errors="replace").splitlines()):
                print(line)
            runner._tell(ended=script.stem, failure=asdict(failure) if failure else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(name).resolve() for name in sys.argv[3:]])

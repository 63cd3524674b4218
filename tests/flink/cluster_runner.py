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
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
#: Lines of Flink's own log, and of the warnings that Python writes.
_OF_FLINK: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|WARNING:|SLF4J|.*Warning: |\s")
#: A worker's output and the sink's come through pipes of their own.
_SETTLE_SECONDS: Final = 0.3


def _load(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


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
            for line in printed.read().decode(errors="replace").splitlines():
                if not _OF_FLINK.match(line):
                    print(line)
            runner._tell(ended=script.stem, failure=asdict(failure) if failure else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(name).resolve() for name in sys.argv[3:]])

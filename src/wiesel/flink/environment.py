"""An environment with the real PyFlink, which brings all of Flink: made once a machine, from a lock file with hashes.

It is one of its own in the cache directory, because PyFlink pins old versions of packages that the user's programs have
in newer ones; nothing of Wiesel is installed in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiesel.flink.errors import FlinkConfigurationError, FlinkError
from wiesel.java.cache import cache_directory, exclusive
from wiesel.java.jars import Report, fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import JavaRuntime, find_java

FLINK_VERSION: Final = "2.3.0"
#: The releases of Java that Flink 2.3 supports.
JAVA: Final = (17, 21)
#: Minor versions of Python 3 that PyFlink 2.3 and the lock file are for, the preferred one first.
PYTHON: Final = (11, 12)

LOCK: Final = Path(__file__).with_name(f"pyflink-{FLINK_VERSION}.txt")
_CONNECTORS: Final = Path(__file__).with_name(f"connectors-{FLINK_VERSION}.lock")
#: Some of PyFlink's dependencies have no wheel and are built with this, so it has to be there first.
_BACKEND: Final = "setuptools"


@dataclass(frozen=True)
class FlinkEnvironment:
    """All that a script needs to run on Flink.

    Args:
        folder: the virtual environment with PyFlink.
        java: one that Flink supports.
        connectors: verified jars of the connectors that Wiesel has, too, and Flink's distribution has not.
    """

    folder: Path
    java: JavaRuntime
    connectors: tuple[Path, ...]

    @property
    def python(self) -> Path:
        """The interpreter that has PyFlink."""
        return self.folder / "bin" / "python"

    @property
    def flink_home(self) -> Path:
        """Flink's distribution: bin, conf, lib and opt."""
        return next(self.folder.glob("lib/python3*/site-packages")) / "pyflink"

    @property
    def python_jar(self) -> Path:
        """The jar with Flink's operators for Python, which a cluster does not have on its class path."""
        return next((self.flink_home / "opt").glob("flink-python-*.jar"))


def prepare(report: Report) -> FlinkEnvironment:
    """Return the environment; what is missing is downloaded (0.8 GB, once a machine) and verified."""
    java = find_java(min(JAVA), only=JAVA)  # before the long download: it may fail
    folder = pyflink(report)
    connectors = fetch_jars(read_lock(_CONNECTORS), cache_directory("flink-connectors"), report)
    return FlinkEnvironment(folder, java, tuple(connectors))


def pyflink(report: Report) -> Path:
    """Return the virtual environment with PyFlink, made now if it is not in the cache."""
    folder = environment_folder()
    if not is_complete(folder):
        with exclusive(folder.parent):
            # Another process may have made it while this one waited for the lock.
            if not is_complete(folder):
                _make(folder, report)
    return folder


def environment_folder() -> Path:
    """Where the virtual environment is, or would be."""
    return cache_directory("pyflink") / FLINK_VERSION


def is_complete(folder: Path) -> bool:
    """Whether PyFlink is installed in the environment."""
    return any(folder.glob(f"lib/python3*/site-packages/apache_flink-{FLINK_VERSION}.dist-info"))


def find_python() -> Path:
    """Return an interpreter that PyFlink has wheels for: this process's if it is one, else one on the PATH."""
    if sys.version_info.minor in PYTHON:
        return Path(sys.executable)
    for minor in PYTHON:
        if found := shutil.which(f"python3.{minor}"):
            return Path(found)
    versions = " or ".join(f"3.{minor}" for minor in PYTHON)
    raise FlinkConfigurationError(
        f"PyFlink {FLINK_VERSION} needs Python {versions}, and there is none on the PATH: install one, "
        f"for instance with `uv python install 3.{PYTHON[0]}`."
    )


def run_pip(python: Path, arguments: Sequence[str | Path], report: Report, what: str, packages: int) -> None:
    """Run `pip install` and tell how many of its packages it has looked at; raises FlinkError with pip's reason."""
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # pip would take a script's own modules for the library's.
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    )
    report(what, 0, packages)
    done, said = 0, list[str]()
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                done += 1
                report(what, min(done, packages), packages)
    if process.returncode != 0:
        reasons = [line for line in said if line.startswith("ERROR")] or said[-5:]
        raise FlinkError(
            f"{what} failed; pip says:\n" + "\n".join(reasons) + "\nCheck the network and pip's index, then try again."
        )


def _make(folder: Path, report: Report) -> None:
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    report(f"making an environment for PyFlink {FLINK_VERSION}", 0, 0)
    subprocess.run([find_python(), "-m", "venv", making], check=True, stdin=subprocess.DEVNULL)
    python = making / "bin" / "python"
    text = LOCK.read_text(encoding="utf-8")
    backend = making / "backend.txt"
    backend.write_text(_entry(text, _BACKEND), encoding="utf-8")
    locked: list[str | Path] = ["--no-deps", "--require-hashes", "--no-build-isolation"]
    run_pip(python, [*locked, "-r", backend], report, "installing what builds packages", 1)
    what = f"installing PyFlink {FLINK_VERSION} (0.8 GB, once a machine, takes minutes)"
    run_pip(python, [*locked, "-r", LOCK], report, what, text.count("=="))
    making.rename(folder)


def _entry(lock: str, package: str) -> str:
    """The lines of one package in a lock file: its own, and its hashes, which are indented."""
    lines = lock.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return "\n".join(lines[start:end]) + "\n"

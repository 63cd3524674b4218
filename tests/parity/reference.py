"""The real PyFlink 2.3.0, to compare Wiesel with: the environment of `wiesel run --target flink`, with more jars.

The variable WIESEL_PYFLINK names an environment that is there already, by its folder.

    with a script:   subprocess.run([reference.python, "script.py"], env=reference.variables)
    by hand:         python -m tests.parity.reference script.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiesel.flink.environment import FLINK_VERSION, JAVA, environment_folder, is_complete, pyflink
from wiesel.java.cache import cache_directory
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import find_java

_HERE: Final = Path(__file__).parent


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
    return folder if is_complete(folder) else None


def make_reference() -> Reference:
    """Return the environment, made now if it is not there: a download of half a gigabyte, once a machine."""
    folder = _folder()
    if not is_complete(folder):
        if "WIESEL_PYFLINK" in os.environ:
            raise NoReferenceError(f"WIESEL_PYFLINK={folder} is no environment with PyFlink {FLINK_VERSION}")
        pyflink(_tell)
    java = find_java(min(JAVA), only=JAVA)
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
    return Path(given) if given else environment_folder()


def _tell(what: str, done: int, _total: int) -> None:
    if done == 0:
        print(what, file=sys.stderr)


def site_packages(folder: Path) -> Path:
    """Return where an environment has its packages."""
    return next(folder.glob("lib/python3*/site-packages"))


def main() -> int:
    """Run a script on the reference, with the arguments of the command line."""
    reference = make_reference()
    return subprocess.run([reference.python, *sys.argv[1:]], env=reference.variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

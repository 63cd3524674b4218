"""The lock file of a set of jars: one line a jar, its Maven coordinate and the SHA-512 of its bytes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wiesel.java.errors import JarError

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_SHA512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, order=True)
class LockedJar:
    """
    One jar of a lock file. `coordinate` is `group:artifact:version`, with `:classifier` if it has one.

    Servers that are published as an archive of many jars have another `packaging` (`tar.gz`).
    """

    coordinate: str
    sha512: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        """Unique in a flat directory: two groups may publish an artifact of the same name."""
        return self.coordinate.replace(":", "_") + f".{self.packaging}"


def read_lock(path: Path) -> list[LockedJar]:
    """The jars of the lock file, in the file's order, which is the order of the class path."""
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            jars.append(_parse(line, f"{path.name}:{number}"))
    if not jars:
        raise JarError(f"{path.name} lists no jar; regenerate it with `make lock-broker`")
    return jars


def format_lock(jars: Iterable[LockedJar], heading: str) -> str:
    """The text of a lock file, sorted so that two resolutions of the same closure differ in nothing."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    lines += [f"{jar.coordinate} sha512:{jar.sha512}" for jar in sorted(jars)]
    return "\n".join(lines) + "\n"


def _parse(line: str, where: str) -> LockedJar:
    coordinate, _, digest = line.partition(" ")
    parts = coordinate.split(":")
    algorithm, _, value = digest.strip().partition(":")
    # The coordinate becomes a file name, so its alphabet is checked and not merely its shape.
    if len(parts) not in (3, 4) or not all(_PART.fullmatch(part) for part in parts):
        raise JarError(f"{where}: not a coordinate: {coordinate!r}; regenerate the file with `make lock-broker`")
    if algorithm != "sha512" or not _SHA512.fullmatch(value):
        raise JarError(f"{where}: {coordinate} has no SHA-512; regenerate the file with `make lock-broker`")
    return LockedJar(coordinate, value)

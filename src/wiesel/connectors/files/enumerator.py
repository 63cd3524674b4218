"""Finds the files to read, once or again and again (Flink: ``StaticFileSplitEnumerator`` and its continuous sister)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wiesel.core.contracts import Json, SourceSplit
from wiesel.core.errors import ConfigurationError


def is_hidden(path: Path) -> bool:
    """Whether Flink leaves a file or folder out: its name begins with a dot or an underscore."""
    return path.name.startswith((".", "_"))


def files_below(path: Path) -> Iterator[Path]:
    """Yield the files of a path that are not hidden, those in folders too, in the order of their names.

    Raises:
        ConfigurationError: there is nothing at ``path``.
    """
    if not path.exists():
        raise ConfigurationError(f"FileSource: there is no {path}.")
    if is_hidden(path):
        return
    if not path.is_dir():
        yield path
        return
    for child in sorted(path.iterdir()):
        # A file may vanish while its folder is being read; then it is not there to be read.
        if child.exists():
            yield from files_below(child)


class FileEnumerator:
    """Each file is a split, and the files go round the readers in the order in which they were found.

    Args:
        paths: files and folders.
        parallelism: number of readers.
        discovery_interval_ms: how often to look for new files; None for once.
        state: what an earlier run had found.
    """

    def __init__(
        self, paths: Sequence[Path], parallelism: int, discovery_interval_ms: int | None, state: Json | None
    ) -> None:
        self.discovery_interval_ms = discovery_interval_ms
        self._paths = paths
        self._parallelism = parallelism
        found: list[str] = [] if state is None else state["files"]
        self._numbers: dict[str, int] = {name: number for number, name in enumerate(found)}
        # A checkpoint may have been taken before the first look was through.
        self._looked = state is not None and bool(state["looked"])

    def discover(self) -> Json:
        """List the files."""
        if self._looked and self.discovery_interval_ms is None:
            return []
        return [str(file) for path in self._paths for file in files_below(path)]

    def on_discovered(self, result: Any) -> Sequence[SourceSplit]:
        """Return the files that were not there the last time."""
        self._looked = True
        new = [name for name in dict.fromkeys(result) if name not in self._numbers]
        for name in new:
            self._numbers[name] = len(self._numbers)
        return [SourceSplit(name, {"at": None, "records": 0}) for name in new]

    def owner(self, split_id: str) -> int:
        """Return the reader of a file."""
        return self._numbers[split_id] % self._parallelism

    def snapshot(self) -> Json:
        """Return all files ever found."""
        return {"files": list(self._numbers), "looked": self._looked}

    def close(self) -> None:
        """Nothing to release."""

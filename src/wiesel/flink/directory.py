"""The directory of one local Flink: what is in it, under which names, and how it is removed without touching more."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wiesel.flink.errors import FlinkConfigurationError

JOBMANAGER = "jobmanager"


def taskmanager(number: int) -> str:
    """The name of a TaskManager's files; numbers begin with 1."""
    return f"taskmanager-{number}"


@dataclass(frozen=True)
class FlinkState:
    """What `up` leaves for `down` and `status`: where the REST API is, and the processes by name."""

    address: str
    flink_version: str
    processes: dict[str, int]


@dataclass(frozen=True)
class FlinkDirectory:
    """Paths inside the directory given by `--dir`. All of it is private to the user (0700, files 0600)."""

    root: Path

    @property
    def configuration(self) -> Path:
        """Flink's conf folder, written anew at each start."""
        return self.root / "conf"

    @property
    def temporary(self) -> Path:
        """Flink's own scratch: blobs, spilled data, pid files."""
        return self.root / "tmp"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints and savepoints, kept by `down`."""
        return self.root / "checkpoints"

    @property
    def lock(self) -> Path:
        """Held while a start or stop is at work. Its existence says that the directory is a Flink's."""
        return self.root / "flink.lock"

    @property
    def _state(self) -> Path:
        return self.root / "flink.json"

    def process_lock(self, name: str) -> Path:
        """Held by that process as long as it lives."""
        return self.root / f"{name}.lock"

    def log(self, name: str) -> Path:
        """What that process has to say since its last start."""
        return self.root / f"{name}.log"

    def create(self) -> None:
        """Make the directory. One that holds anything else is refused: `--delete` must stay harmless."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FlinkConfigurationError(
                f"cannot make the directory {self.root}: {error.strerror}. Give another one with --dir."
            ) from error
        if not self.lock.exists() and any(self.root.iterdir()):
            raise FlinkConfigurationError(
                f"{self.root} holds other things than a Flink's; give --dir a new or an empty directory."
            )
        self.root.chmod(0o700)

    def prepare(self, distribution: Path, configuration: Mapping[str, Any]) -> None:
        """Make ready for a start: the distribution's conf folder with our config.yaml, previous logs put aside."""
        for folder in (self.temporary, self.configuration):
            shutil.rmtree(folder, ignore_errors=True)
        self.temporary.mkdir(mode=0o700)
        self.checkpoints.mkdir(mode=0o700, exist_ok=True)
        shutil.copytree(distribution, self.configuration)
        for log in self.root.glob("*.log"):
            log.replace(log.with_name(f"{log.name}.1"))
        # JSON's strings are YAML's, whatever is in them.
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in configuration.items())
        self._write_private(self.configuration / "config.yaml", text)

    def write_state(self, state: FlinkState) -> None:
        """Publish the running processes, atomically."""
        self._write_private(self._state, json.dumps(asdict(state)) + "\n")

    def read_state(self) -> FlinkState | None:
        """What `write_state` wrote last; says nothing about whether those processes still live."""
        try:
            return FlinkState(**json.loads(self._state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def clear_state(self) -> None:
        """Called once all processes have ended."""
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def delete(self) -> None:
        """Remove everything that a Flink makes, and the directory itself if that leaves it empty."""
        self.clear_state()
        for folder in (self.configuration, self.checkpoints):
            shutil.rmtree(folder, ignore_errors=True)
        for pattern in ("*.log", "*.log.1", "*.lock"):
            for path in self.root.glob(pattern):
                path.unlink()
        if not any(self.root.iterdir()):
            self.root.rmdir()

    def log_tail(self, name: str, lines: int = 12) -> str:
        """The end of a process's log, for the message of a start that failed."""
        try:
            return "\n".join(self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _write_private(self, path: Path, text: str) -> None:
        """Write by rename: a reader sees the old file or the new one; mkstemp makes it 0600 from its first moment."""
        descriptor, temporary = tempfile.mkstemp(dir=self.root)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)

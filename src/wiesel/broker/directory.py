"""The directory of one local broker: what is in it, under which names, and how it is removed without touching more."""

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from wiesel.broker.errors import BrokerConfigurationError


@dataclass(frozen=True)
class BrokerState:
    """What `up` leaves for `down`, `status` and the tools: the running process and where it answers."""

    pid: int
    bootstrap_servers: str
    kafka_version: str


@dataclass(frozen=True)
class BrokerDirectory:
    """Paths inside the directory given by `--dir`. All of it is private to the user (0700, files 0600)."""

    root: Path

    @property
    def data(self) -> Path:
        """Kafka's logs, kept by `down`."""
        return self.root / "data"

    @property
    def formatting(self) -> Path:
        """`data` in the making: it gets its name when it is complete."""
        return self.root / "formatting"

    @property
    def temporary(self) -> Path:
        """For files in the making and the JVM's native libraries, so that nothing of ours is in the shared /tmp."""
        return self.root / "tmp"

    @property
    def properties(self) -> Path:
        """The broker's properties, secrets included."""
        return self.root / "server.properties"

    @property
    def log(self) -> Path:
        """What the broker has to say since its last start."""
        return self.root / "server.log"

    @property
    def _state(self) -> Path:
        return self.root / "broker.json"

    @property
    def _version(self) -> Path:
        return self.root / "kafka.version"

    @property
    def lock(self) -> Path:
        """Held by the running broker. Its existence says that the directory is a broker's."""
        return self.root / "broker.lock"

    def create(self) -> None:
        """Make the directory. One that holds anything else is refused: `--delete` must stay harmless."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerConfigurationError(
                f"cannot make the directory {self.root}: {error.strerror}. Give another one with --dir."
            ) from error
        if not self.lock.exists() and any(self.root.iterdir()):
            raise BrokerConfigurationError(
                f"{self.root} holds other things than a broker's; give --dir a new or an empty directory."
            )
        self.root.chmod(0o700)

    def prepare(self, properties_text: str) -> None:
        """Make ready for a start: properties written, the previous log put aside, leftovers removed."""
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700)
        shutil.rmtree(self.formatting, ignore_errors=True)
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        self.write_private(self.properties, properties_text)

    def write_state(self, state: BrokerState) -> None:
        """Publish the running process, atomically."""
        self.write_private(self._state, json.dumps(asdict(state)) + "\n")

    def read_state(self) -> BrokerState | None:
        """What `write_state` wrote last; says nothing about whether that process still lives."""
        try:
            return BrokerState(**json.loads(self._state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def clear_state(self) -> None:
        """Called once the process has ended."""
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def delete(self) -> None:
        """Remove everything that a broker makes, and the directory itself if that leaves it empty."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.formatting, ignore_errors=True)
        self.clear_state()
        for path in (self.properties, self.log, self.log.with_name("server.log.1"), self._version, self.lock):
            path.unlink(missing_ok=True)
        if self.root.exists() and not any(self.root.iterdir()):
            self.root.rmdir()

    def write_private(self, path: Path, text: str) -> None:
        """Write by rename: a reader sees the old file or the new one; mkstemp makes it 0600 from its first moment."""
        descriptor, temporary = tempfile.mkstemp(dir=self.temporary)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)

    def write_version(self, version: str) -> None:
        """Remember which Kafka used `data` last."""
        self.write_private(self._version, version + "\n")

    def read_version(self) -> str | None:
        """The Kafka that used `data` last, None if there are none."""
        try:
            return self._version.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def log_tail(self, lines: int = 12) -> str:
        """The end of the broker's log, for the message of a start that failed."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

"""The job directory: who owns it, which lineages it has seen, and how a start continues them.

The record in ``_store`` is replaced atomically and durably at every change. It holds the store's uuid, the start
counter that orders all incarnations, and the lineages. The lock is held by the process for its life.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from wiesel.core.disk import Disk, write_durably
from wiesel.core.errors import CheckpointCorruptError, ConfigurationError, JobDirectoryLostError
from wiesel.core.host import host

_STORE: Final = "_store"
_LOCK: Final = "_lock"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Lineage:
    """One unbroken history of the job.

    Args:
        lineage_id: store and ordinal.
        kind: ``first``, ``fresh``, ``savepoint`` (the user's ``-s``) or ``reshaped`` (other parallelism or sinks).
        base: path of the checkpoint it began from; None for a beginning from nothing.
        shape: parallelism and identity of each sink by uid; another shape needs another lineage.
        rewound: the user chose where it began, so an older lineage's markers may be ahead of that.
        outcome: ``running``, ``stopped``, ``finished``, or ``discarded``: cancelled, and its checkpoints deleted.
    """

    lineage_id: str
    kind: str
    base: str | None
    shape: Mapping[str, Any]
    rewound: bool = False
    outcome: str = "running"


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """The durable record of a job directory."""

    uuid: str
    start: int = 0
    claimed: tuple[str, ...] = ()
    last_checkpoint: int = 0
    max_parallelism_started: Mapping[str, int] = field(default_factory=dict)
    lineages: tuple[Lineage, ...] = ()

    @property
    def newest(self) -> Lineage | None:
        """The newest lineage, or None before the first start."""
        return self.lineages[-1] if self.lineages else None

    def with_newest(self, **changes: Any) -> StoreRecord:
        """Return the record with fields of its newest lineage replaced."""
        return replace(self, lineages=(*self.lineages[:-1], replace(self.lineages[-1], **changes)))

    def with_lineage(self, kind: str, base: str | None, shape: Mapping[str, Any], rewound: bool = False) -> StoreRecord:
        """Return the record with a new lineage at its end."""
        lineage = Lineage(f"{self.uuid[:12]}.{len(self.lineages) + 1}", kind, base, shape, rewound)
        return replace(self, lineages=(*self.lineages, lineage))


class JobDirectory:
    """One job's directory, locked by this process.

    Args:
        disk: where files live.
        path: the directory; created when missing.
        new_uuid: identity for a store that does not exist yet.

    Raises:
        LeaseLostError: another process of this job is alive.
    """

    def __init__(self, disk: Disk, path: Path, new_uuid: str) -> None:
        self.path = path
        self._disk = disk
        self._guard = host().lock()
        try:
            disk.make_directory(path)
            self._lease = host().lease(path / _LOCK)
        except OSError as error:
            raise ConfigurationError(
                f"The checkpoint directory {path} cannot be written: {error.strerror or error}. "
                f"Make it writable or set execution.checkpointing.dir to another place."
            ) from error
        try:
            self.record = self._read() or StoreRecord(new_uuid)
        except BaseException:
            self.close()
            raise

    @property
    def lock(self) -> int:
        """The descriptor that holds the lock; whoever inherits it holds the lock too."""
        return self._lease.descriptor

    def _read(self) -> StoreRecord | None:
        path = self.path / _STORE
        if not self._disk.exists(path):
            return None
        try:
            data = json.loads(self._disk.read(path))
            digest, version = data.pop("sha256"), data.pop("version")
            if digest != _digest(data):
                raise ValueError("its content does not match its checksum")
            if version != _VERSION:
                raise ValueError(f"its version is {version}, and this Wiesel reads {_VERSION}")
            lineages = tuple(Lineage(**lineage) for lineage in data.pop("lineages"))
            return StoreRecord(**data | {"claimed": tuple(data["claimed"])}, lineages=lineages)
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointCorruptError(
                f"{path} is damaged ({error}). It orders the job's starts, so nothing was started; restore it from a "
                f"backup, or begin anew in another directory or with another --job-id."
            ) from error

    def check_in_place(self) -> None:
        """Raise ``JobDirectoryLostError`` unless the path still leads to the directory that was opened.

        What is written by path when a disk is unmounted lands in the directory below it, where no start finds it.
        """
        if not self._lease.is_in_place():
            raise JobDirectoryLostError(
                f"The job directory {self.path} is not the one any more that this job has opened: it was unmounted, "
                f"moved, removed or replaced. No checkpoint is completed and nothing is published from now on. Bring "
                f"it back and go on with --resume."
            )

    def save(self, record: StoreRecord) -> None:
        """Make a changed record durable; raises ``JobDirectoryLostError`` when the directory is gone."""
        self.check_in_place()
        data = asdict(record)
        data.update(sha256=_digest(data), version=_VERSION)
        write_durably(self._disk, self.path / _STORE, json.dumps(data, indent=1, sort_keys=True).encode())
        self.check_in_place()  # now, or all that was written since the last look may lie elsewhere
        self.record = record

    def save_claimed(self, sink_uid: str) -> None:
        """Make durable that this store has claimed a sink."""
        with self._guard:
            if sink_uid not in self.record.claimed:
                self.save(replace(self.record, claimed=(*self.record.claimed, sink_uid)))

    def update(self, **changes: Any) -> None:
        """Replace fields of the record and make it durable; safe to call from several threads."""
        with self._guard:
            self.save(replace(self.record, **changes))

    def update_newest(self, **changes: Any) -> None:
        """Replace fields of the newest lineage and make them durable."""
        with self._guard:
            self.save(self.record.with_newest(**changes))

    def durable_start(self) -> int:
        """Return the start counter on disk, which has moved on once another incarnation began."""
        record = self._read()
        return record.start if record is not None else 0

    def close(self) -> None:
        """Give up the lock."""
        self._lease.close()


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

"""Checkpoints that a harness takes and begins from: its own, or one of a real job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wiesel.core.disk import OsDisk
from wiesel.runtime.checkpoint.manifest import SealKey
from wiesel.runtime.checkpoint.storage import CheckpointStorage
from wiesel.testing.memory_disk import MemoryDisk

_DIRECTORY: Final = Path("/harness")
_KEY: Final = SealKey(b"the key of a test's own snapshots")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A complete checkpoint; give it to an ``OperatorHarness`` as ``restore``."""

    checkpoint_id: int
    disk: MemoryDisk

    @staticmethod
    def of(path: Path | str) -> Snapshot:
        """Return the checkpoint or savepoint of a real job: a test can tell whether a new script goes on from it.

        Its pickles are loaded whoever sealed it: take one that you trust. Operators are found by their uids; what the
        harness does not have, such as the job's sources, is left out with ``allow_non_restored_state``.

        Args:
            path: the directory that holds ``_metadata``.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        path = Path(path).absolute()
        theirs = CheckpointStorage(OsDisk(), path.parent, _KEY, trust=True)
        manifest = replace(theirs.load(path), pending=(), files=None)
        disk = MemoryDisk()
        ours = storage_on(disk)
        ours.begin(manifest.checkpoint_id)
        for operator in manifest.operators.values():
            for keyed in (part.keyed for part in operator.subtasks if part.keyed is not None):
                copy = ours.create_state_file(manifest.checkpoint_id, keyed.name)
                for piece in theirs.pieces(path, keyed):
                    copy.write(piece)
                copy.finish()
        ours.publish(manifest)
        return Snapshot(manifest.checkpoint_id, disk)


def storage_on(disk: MemoryDisk) -> CheckpointStorage:
    """Return the checkpoints on a harness's disk."""
    return CheckpointStorage(disk, _DIRECTORY, _KEY)

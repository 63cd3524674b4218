"""Finishes pending files: a rename, which is done or not, whatever dies in between (Flink: ``FileCommitter``)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from wiesel.connectors.files.compaction import FileCompactor, FileCompactStrategy, compact, groups
from wiesel.connectors.files.part_file import PendingFile
from wiesel.core import failpoints
from wiesel.core.contracts import Committable, Json
from wiesel.core.disk import OsDisk
from wiesel.core.errors import CheckpointCorruptError

_log = logging.getLogger("wiesel.connectors.files")


class FileCommitter:
    """Publishes the files of one sink; doing it again changes nothing.

    Args:
        compaction: how the files of a checkpoint are put together; None to publish each as it is.
    """

    def __init__(self, compaction: tuple[FileCompactStrategy, FileCompactor] | None = None) -> None:
        self._compaction = compaction

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Finish the files of the restored checkpoint that an earlier start did not get to."""
        self._publish(pending, recovering=True)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Finish the files of a complete checkpoint."""
        self._publish(committables, recovering=False)

    def _publish(self, committables: Sequence[Committable], recovering: bool) -> None:
        files = [PendingFile.from_json(committable.data) for committable in committables]
        if self._compaction is None:
            for file in files:
                _finish(file, recovering)
                failpoints.hit("F1")
        else:
            strategy, compactor = self._compaction
            for group in groups(strategy, compactor, files):
                if not compact(compactor, group):
                    _missing(Path(group[0].folder) / group[0].hidden, recovering)
                failpoints.hit("F1")
        for folder in {file.folder for file in files}:
            if Path(folder).is_dir():
                OsDisk().sync_directory(Path(folder))

    def snapshot(self) -> Json:
        """Nothing to remember: the files' names tell."""
        return {}

    def close(self) -> None:
        """Nothing to release."""


def _finish(file: PendingFile, recovering: bool) -> None:
    hidden, finished = Path(file.folder) / file.hidden, Path(file.folder) / file.name
    if not hidden.exists():
        if finished.exists():
            return
        _missing(hidden, recovering)
        return
    size = hidden.stat().st_size
    if size != file.size:
        raise CheckpointCorruptError(
            f"{hidden} has {size} bytes where its checkpoint says {file.size}: something else wrote to it. It stays "
            f"as it is; nothing was published of it."
        )
    if finished.exists():
        raise CheckpointCorruptError(f"{finished} exists already and is not ours; move it away, then --resume.")
    hidden.rename(finished)


def _missing(hidden: Path, recovering: bool) -> None:
    if not recovering:
        raise CheckpointCorruptError(f"{hidden} was complete and is gone: something else removes files of this job.")
    # Whoever reads finished files may have moved it on before we could note that it was finished.
    _log.warning("%s was finished earlier and is not there any more; nothing is done about it.", hidden)

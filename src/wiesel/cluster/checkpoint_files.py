"""A running job's checkpoints on disk: begun, published, removed on I/O threads; the loop only keeps the books."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from wiesel.cluster.background import Background
from wiesel.cluster.start import Start
from wiesel.core.errors import JobDirectoryLostError
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master.commands import JobState

_log = logging.getLogger("wiesel.cluster")


class CheckpointFiles:
    """What one start has written into its job directory. All methods are called on the loop's thread.

    Args:
        start: the directory, and what earlier starts of the lineage left in it.
        disk: I/O threads.
        post: puts a callable into the loop's mailbox, from any thread.
    """

    def __init__(self, start: Start, disk: Background, post: Callable[[Callable[[], None]], None]) -> None:
        self._start = start
        self._disk = disk
        # One thread, so that a directory is removed only after it was made.
        self._directories = Background(post, 1, "wiesel-chk")
        self._owned = set(start.owned)
        self._segments = _left_segments(start)
        #: Checkpoints whose publication failed half-way: the record of the store may name them, in memory or on disk.
        self._doubtful: set[int] = set()

    def begin(self, checkpoint_id: int, done: Callable[[Any], None]) -> None:
        """Make the directory of a checkpoint, then call ``done`` with None or the error."""
        start = self._start

        def begin() -> None:
            start.directory.check_in_place()
            start.storage.begin(checkpoint_id)

        self._directories.run(begin, done)

    def publish(self, manifest: CheckpointManifest, done: Callable[[Any], None]) -> None:
        """Decide a checkpoint, then call ``done`` with None or the error."""
        start = self._start

        def publish() -> None:
            start.directory.check_in_place()
            start.storage.publish(manifest)
            start.directory.update(last_checkpoint=manifest.checkpoint_id)

        def published(result: Any) -> None:
            if isinstance(result, BaseException):
                self._doubtful.add(manifest.checkpoint_id)
            else:
                self._owned.add(manifest.checkpoint_id)
                self._segments |= {item.path for item in manifest.pending if item.path is not None}
            done(result)

        self._disk.run(publish, published)

    def discard(self, checkpoint_id: int, done: Callable[[Any], None]) -> None:
        """Remove a checkpoint that was given up, then call ``done`` with None or the error.

        One that a start might look for stays if that cannot be undone, with all that it lists.
        """
        start, doubtful = self._start, checkpoint_id in self._doubtful

        def discard() -> None:
            start.directory.check_in_place()  # what lies in its place now may have a checkpoint of this number
            if doubtful:
                start.directory.update()  # as it is known to be: an update that failed may have reached the disk
            start.storage.discard(checkpoint_id, durably=doubtful)

        def discarded(result: Any) -> None:
            _log_failure(result)
            if not isinstance(result, BaseException):
                self._doubtful.discard(checkpoint_id)
            done(result)

        self._directories.run(discard, discarded)

    def retain(self, manifests: Sequence[CheckpointManifest]) -> None:
        """Remove the lineage's checkpoints but these, and the output that none of them lists."""
        storage, directory = self._start.storage, self._start.directory
        kept = {manifest.checkpoint_id for manifest in manifests}
        listed = {item.path for manifest in manifests for item in manifest.pending}
        old, self._owned = self._owned - kept, self._owned & kept
        gone = self._segments - listed
        self._segments &= listed

        def remove() -> None:
            directory.check_in_place()
            for checkpoint_id in old:
                storage.discard(checkpoint_id)
            storage.remove_segments(gone)

        self._directories.run(remove, _log_failure)

    def note_outcome(self, state: JobState, *, stopped_early: bool, delete_if_cancelled: bool) -> None:
        """Note durably how the job ended, and remove the checkpoints of a cancelled one if they are not wanted."""
        directory = self._start.directory
        try:
            if state is JobState.CANCELED and delete_if_cancelled:
                # Noted first: a start must not look for checkpoints of which some are gone.
                directory.update_newest(outcome="discarded")
                directory.update(last_checkpoint=0)
                self.retain([])
            else:
                finished = state is JobState.FINISHED and not stopped_early
                directory.update_newest(outcome="finished" if finished else "stopped")
        except (OSError, JobDirectoryLostError) as error:
            # It only spares the next start a look at the last checkpoint, and must not hide how the job ended.
            _log.warning("That the job is over could not be noted in %s: %s", directory.path, error)

    def close(self) -> None:
        """Wait until everything is done."""
        self._directories.close(wait=True)


def _left_segments(start: Start) -> set[str]:
    """Return the files of committables that this lineage's earlier starts left, to be removed like our own."""
    restore = start.restore
    if restore is None or restore.lineage != start.lineage.lineage_id:
        return set()  # another lineage's checkpoint may be wanted again, with all its files
    return {item.path for item in restore.pending if item.path is not None}


def _log_failure(result: Any) -> None:
    if isinstance(result, BaseException):
        _log.warning("Removing old checkpoint files failed: %s", result)

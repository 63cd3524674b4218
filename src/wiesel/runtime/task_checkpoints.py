"""One task's part in checkpoints: takes its snapshots, writes them between batches, tells the JobMaster.

What a sink has made durable for a checkpoint belongs to the state behind that barrier, so it must reach the JobMaster
with that checkpoint or with the next one. A snapshot that a later barrier overtakes, or whose file cannot be written,
hands it on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wiesel.runtime.chain import OperatorChain
from wiesel.runtime.reports import CheckpointAcknowledged, CheckpointDeclined, OperatorSnapshot, TaskId, TaskReport
from wiesel.runtime.snapshots import Background, KeyedPart, StateFileWriter, TaskSnapshot
from wiesel.runtime.source_input import SourceInput


class TaskCheckpoints:
    """The snapshots of one task; at most one is being written, at most one waits for the disk.

    Args:
        attempt: number of the attempt.
        task_id: which task.
        chain: its operators.
        source: its reader, for a source task.
        create_state_file: creates a file of a checkpoint; None when keyed state is not kept.
        background: runs what waits for the disk.
        report: tells the JobMaster.
    """

    def __init__(
        self,
        attempt: int,
        task_id: TaskId,
        chain: OperatorChain,
        source: SourceInput | None,
        create_state_file: Callable[[int, str], StateFileWriter] | None,
        background: Background,
        report: Callable[[TaskReport], None],
    ) -> None:
        self._attempt = attempt
        self._task_id = task_id
        self._chain = chain
        self._source = source
        self._create_state_file = create_state_file
        self._background = background
        self._report = report
        self._writing: TaskSnapshot | None = None
        self._unreported: TaskSnapshot | None = None

    def begin(self, checkpoint_id: int) -> None:
        """Take a snapshot of what is true now; an earlier one that is not reported yet has been given up."""
        earlier = self._unreported
        if earlier is not None:
            earlier.abort()  # first: until then a state backend may hold back what has changed since
        snapshot = TaskSnapshot(checkpoint_id, self._parts(checkpoint_id), self._keyed_part(checkpoint_id))
        if earlier is not None:
            snapshot.take_over(earlier)
        self._writing = self._unreported = snapshot

    def _parts(self, checkpoint_id: int) -> dict[str, OperatorSnapshot]:
        parts = {
            uid: OperatorSnapshot(state=state, committables=committables)
            for uid, (state, committables) in self._chain.snapshot_operators(checkpoint_id).items()
        }
        if self._source is not None:
            parts[self._chain.vertex.operators[0].uid] = OperatorSnapshot(splits=list(self._source.reader.snapshot()))
        return parts

    def _keyed_part(self, checkpoint_id: int) -> KeyedPart | None:
        backend, create = self._chain.backend, self._create_state_file
        if backend is None or create is None:
            return None
        name = f"{self._task_id.vertex_id}-{self._task_id.subtask}.state"
        state = backend.snapshot()
        create_file = partial(create, checkpoint_id, name)
        return KeyedPart(self._chain.vertex.operators[0].uid, state, state.slices(), create_file)

    def write_slice(self) -> bool:
        """Write a slice of the snapshot under way; return whether there was one."""
        snapshot = self._writing
        if snapshot is None:
            return False
        try:
            if snapshot.write_slice():
                self._writing = None
                snapshot.finish(self._background, partial(self._ended, snapshot))
        except Exception as error:
            self._writing = None
            self._ended(snapshot, error)
        return True

    def _ended(self, snapshot: TaskSnapshot, error: BaseException | None) -> None:
        if snapshot is not self._unreported:
            return  # a later one has taken over what it held
        if error is None:
            self._unreported = None
            self._report(
                CheckpointAcknowledged(self._attempt, self._task_id, snapshot.checkpoint_id, snapshot.operators)
            )
        else:
            snapshot.abort()
            self._report(CheckpointDeclined(self._attempt, self._task_id, snapshot.checkpoint_id, error))

    def close(self) -> None:
        """Give up the snapshot under way."""
        if self._writing is not None:
            self._writing.abort()
        self._writing = self._unreported = None

"""The savepoints of one job: who waits for one, which checkpoint they ride on, which are being written. Pure.

A savepoint is a copy of a checkpoint, so that delivery and recovery know one kind of snapshot only. Requests wait until
a checkpoint can be triggered and ride on it together; the copy of one that stops the job is made when all output is
delivered, and lists none as pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master.commands import SavepointRequested


@dataclass(slots=True)
class Savepoints:
    """All requests that are not answered yet.

    Args:
        waiting: for a checkpoint.
        riding: on the checkpoint that is pending or being published.
        delivering: those of the last checkpoint, whose output is on its way.
        writing: copies being made, by trigger id, with the checkpoint that must be kept for them.
    """

    waiting: list[SavepointRequested] = field(default_factory=list)
    riding: list[SavepointRequested] = field(default_factory=list)
    delivering: list[tuple[SavepointRequested, CheckpointManifest]] = field(default_factory=list)
    writing: dict[int, tuple[SavepointRequested, CheckpointManifest]] = field(default_factory=dict)

    @property
    def stopping(self) -> SavepointRequested | None:
        """The request that is to stop the job, if there is one."""
        requests = [
            *self.waiting,
            *self.riding,
            *(request for request, _ in [*self.delivering, *self.writing.values()]),
        ]
        return next((request for request in requests if request.stop), None)

    def is_ready(self) -> bool:
        """Whether a request waits for nothing but a checkpoint; a drained one waits for the end of the input."""
        return any(not request.drain for request in self.waiting)

    def board(self, final: bool) -> Sequence[SavepointRequested]:
        """A checkpoint is triggered: let those who wait ride on it, all of them on the last one."""
        self.riding = [request for request in self.waiting if final or not request.drain]
        self.waiting = [request for request in self.waiting if request not in self.riding]
        return self.riding

    def complete(self, manifest: CheckpointManifest, final: bool) -> list[SavepointRequested]:
        """The checkpoint exists: return the requests whose copy is to be made now."""
        riding, self.riding = self.riding, []
        if final:
            self.delivering = [(request, manifest) for request in riding]
            return []
        self.writing |= {request.trigger_id: (request, manifest) for request in riding}
        return riding

    def delivered(self) -> list[tuple[SavepointRequested, CheckpointManifest]]:
        """All output is delivered: return the requests of the last checkpoint, whose copy is to be made now."""
        delivering, self.delivering = self.delivering, []
        self.writing |= {request.trigger_id: (request, manifest) for request, manifest in delivering}
        return delivering

    def written(self, trigger_id: int) -> SavepointRequested | None:
        """A copy was made, or has failed; return its request."""
        request, _ = self.writing.pop(trigger_id, (None, None))
        return request

    def pinned(self) -> list[CheckpointManifest]:
        """Return the checkpoints that must be kept until their copy is made."""
        return [manifest for _, manifest in [*self.delivering, *self.writing.values()]]

    def throw_off(self) -> list[SavepointRequested]:
        """The checkpoint they ride on will not exist: return who rode on it."""
        riding, self.riding = self.riding, []
        return riding

    def give_up_waiting(self) -> list[SavepointRequested]:
        """Return and forget who waits for a checkpoint that will not come."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def give_up(self) -> list[SavepointRequested]:
        """Return and forget everybody whose copy is not being made yet."""
        gone = [*self.waiting, *self.riding, *(request for request, _ in self.delivering)]
        self.waiting, self.riding, self.delivering = [], [], []
        return gone

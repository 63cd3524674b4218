"""What one process of the second model can do to its world when it is its turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .job_world import JobDirectory, Phase, Process, Push, Segment, TransactionalId, World, confirm, replaced


@dataclass(frozen=True, slots=True)
class Turn:
    """A world and the process in it that goes on. Nothing is changed; worlds are made from worlds."""

    world: World
    index: int
    process: Process

    @property
    def directory(self) -> JobDirectory:
        """The process's job directory."""
        return self.world.directories[self.process.start.store]

    def go(self, action: str, world: World | None = None, **changes: Any) -> tuple[str, World]:
        """The process changes as said, in `world` or in the world as it is."""
        process = self.process
        kind = "zombie" if process.zombie else "job"
        store = f" {process.start.store}" if len(self.world.directories) > 1 else ""
        world = self.world if world is None else world
        processes = replaced(world.processes, self.index, process._replace(**changes))
        return f"{kind}{store}#{process.start.number} {action}", world._replace(processes=processes)

    def stop(self, reason: str) -> tuple[str, World]:
        """The process ends for good."""
        return self.go(
            f"STOPS: {reason}", phase=Phase.STOPPED, stopped_because=reason, queue=(), push=Push.IDLE, closed=()
        )

    def fence(self, tid: int, **changes: Any) -> tuple[str, World]:
        """A fresh producer's init_transactions(): the process owns `tid`, open work of others is aborted."""
        return self.go(f"fences tid {tid}", self.with_tid(tid, None), waits=False, **changes)

    def confirm(self, action: str, segment: Segment) -> tuple[str, World]:
        """The oldest pending segment is known to be published."""
        process = self.process
        return self.go(
            f"{action} {segment}",
            push=Push.IDLE,
            queue=process.queue[1:],
            confirmed=confirm(process.confirmed, segment.tid, segment.lineage, segment.seq),
        )

    def with_tid(self, tid: int, open_segment: Segment | None) -> World:
        """The world with `tid` owned by this process."""
        return self.world._replace(
            tids=replaced(self.world.tids, tid, TransactionalId(self.process.start, open_segment))
        )

    def with_directory(self, **changes: Any) -> World:
        """The world with this process's job directory changed."""
        directories = self.world.directories
        directory = self.directory._replace(**changes)
        return self.world._replace(directories=replaced(directories, self.process.start.store, directory))

    def must_wait_for_holder(self, tid: int) -> bool:
        """Whether a fenced process backs off until the holder of `tid` has made its claim or push.

        Two stores know nothing of each other, so only random back-off ends a race of fences before the first claim.
        Inside one store nothing of the kind is assumed.
        """
        if not self.process.waits or len(self.world.directories) == 1:
            return False
        owner = self.world.tids[tid].owner
        return any(
            other is not None
            and other is not self.process
            and other.start == owner
            and (
                other.phase in (Phase.LOOKING, Phase.CLAIMING)
                or other.push in (Push.FENCED, Push.MARKER_READ, Push.PRODUCED)
            )
            for other in self.world.processes
        )

"""The checkpoint coordinator: when a checkpoint begins, when it is complete, when it is given up. Pure.

A checkpoint is triggered at its interval, but not while one is under way, nor before the minimum pause, nor while two
decided checkpoints wait for their output to be published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wiesel.core.contracts import Committable
from wiesel.runtime.reports import OperatorSnapshot, TaskId

#: Decided checkpoints whose output may still be unconfirmed while another one is triggered.
MAX_UNCONFIRMED: Final = 2


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """Flink's ``execution.checkpointing.*``; times in milliseconds, ``interval_ms`` None is off.

    ``only_final``: there is no checkpoint but the one behind all input, because records wait to be sorted (BATCH mode).
    """

    interval_ms: int | None = None
    timeout_ms: int = 600_000
    min_pause_ms: int = 0
    tolerable_failures: int = 0
    retained: int = 1
    only_final: bool = False


@dataclass(slots=True)
class PendingCheckpoint:
    """A checkpoint under way."""

    checkpoint_id: int
    triggered_ms: int
    suspend: bool
    missing: set[TaskId]
    acknowledged: dict[TaskId, Mapping[str, OperatorSnapshot]] = field(default_factory=dict)


class CheckpointCoordinator:
    """Keeps the one pending checkpoint and the counters.

    Args:
        settings: intervals and limits.
        next_id: number of the next checkpoint.
    """

    def __init__(self, settings: CheckpointSettings, next_id: int) -> None:
        self.settings = settings
        self.pending: PendingCheckpoint | None = None
        self.next_id = next_id
        self.failures = 0
        self.completed = 0
        self._next_trigger_ms: int | None = None
        # Output that writers made durable for checkpoints that were given up; it joins the next one.
        self._carried: dict[tuple[TaskId, str], list[Committable]] = {}

    def reset(self, now_ms: int) -> None:
        """A new attempt begins: nothing is pending, the interval starts anew."""
        self.pending = None
        self._carried.clear()
        if self.settings.interval_ms is not None:
            self._next_trigger_ms = now_ms + self.settings.interval_ms

    def is_due(self, now_ms: int, unconfirmed: int) -> bool:
        """Whether a periodic checkpoint is to begin now."""
        return (
            self.pending is None
            and self._next_trigger_ms is not None
            and now_ms >= self._next_trigger_ms
            and self.has_room(unconfirmed)
        )

    @staticmethod
    def has_room(unconfirmed: int) -> bool:
        """Whether so few decided checkpoints wait for their output that there may be another."""
        return unconfirmed < MAX_UNCONFIRMED

    def next_due_ms(self, unconfirmed: int) -> int | None:
        """Return when the driver should look again: the pending checkpoint's timeout, or the next trigger.

        While too much is unconfirmed only a confirmation changes anything, so there is no time to wait for.
        """
        if self.pending is not None:
            return self.pending.triggered_ms + self.settings.timeout_ms
        return self._next_trigger_ms if self.has_room(unconfirmed) else None

    def trigger(self, now_ms: int, tasks: Sequence[TaskId], suspend: bool) -> int:
        """Begin a checkpoint and return its number."""
        checkpoint_id = self.next_id
        self.next_id += 1
        self.pending = PendingCheckpoint(checkpoint_id, now_ms, suspend, set(tasks))
        return checkpoint_id

    def acknowledge(
        self, task: TaskId, checkpoint_id: int, operators: Mapping[str, OperatorSnapshot], now_ms: int
    ) -> PendingCheckpoint | None:
        """Take a task's part; return the checkpoint when it was the last one.

        The part of a checkpoint that was given up is not lost: its committables join the task's next one.
        """
        pending = self.pending
        if pending is None or pending.checkpoint_id != checkpoint_id or task not in pending.missing:
            if pending is None or pending.checkpoint_id != checkpoint_id:
                self._carry(task, operators)
            return None
        pending.missing.discard(task)
        pending.acknowledged[task] = {uid: self._with_carried(task, uid, part) for uid, part in operators.items()}
        if pending.missing:
            return None
        self.pending = None
        self._schedule_next(pending, now_ms)
        return pending

    def give_up(self, now_ms: int) -> PendingCheckpoint | None:
        """Abandon the pending checkpoint and keep its output for the next one; return it."""
        pending, self.pending = self.pending, None
        if pending is not None:
            self.carry_over(pending)
            self._schedule_next(pending, now_ms)
        return pending

    def carry_over(self, abandoned: PendingCheckpoint) -> None:
        """Keep the output of a checkpoint that will not exist for the next one."""
        for task, operators in abandoned.acknowledged.items():
            self._carry(task, operators)

    def is_expired(self, now_ms: int) -> bool:
        """Whether the pending checkpoint has run into its timeout."""
        return self.pending is not None and now_ms - self.pending.triggered_ms >= self.settings.timeout_ms

    def count_failure(self) -> bool:
        """Count a failed checkpoint; return whether that is more in a row than tolerated."""
        self.failures += 1
        return self.failures > self.settings.tolerable_failures

    def count_success(self) -> None:
        """Count a complete checkpoint."""
        self.failures = 0
        self.completed += 1

    def _schedule_next(self, ended: PendingCheckpoint, now_ms: int) -> None:
        # The interval counts from trigger to trigger, the pause from the end of one to the trigger of the next.
        if self.settings.interval_ms is not None:
            self._next_trigger_ms = max(
                ended.triggered_ms + self.settings.interval_ms, now_ms + self.settings.min_pause_ms
            )

    def _carry(self, task: TaskId, operators: Mapping[str, OperatorSnapshot]) -> None:
        for uid, part in operators.items():
            if part.committables:
                self._carried.setdefault((task, uid), []).extend(part.committables)

    def _with_carried(self, task: TaskId, uid: str, part: OperatorSnapshot) -> OperatorSnapshot:
        carried = self._carried.pop((task, uid), None)
        if carried is None:
            return part
        return replace(part, committables=[*carried, *part.committables])

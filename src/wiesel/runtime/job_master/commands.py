"""What the JobMaster asks its driver to do, and the events by which the driver answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from wiesel.core.contracts import Committable, Json
from wiesel.runtime.checkpoint.manifest import CheckpointManifest


class JobState(Enum):
    """Flink's ``JobStatus``, as far as it applies."""

    CREATED = "CREATED"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    RESTARTING = "RESTARTING"
    FAILING = "FAILING"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobState.FAILED, JobState.CANCELED, JobState.FINISHED)


# ------------------------------------------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class RecoverCommitters:
    """Settle every sink with earlier incarnations and publish what was decided; answer ``CommittersRecovered``."""

    pending: Sequence[Committable]
    states: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class DeployTasks:
    """Create all tasks and enumerators of an attempt, from a checkpoint if there is one."""

    attempt: int
    restore: CheckpointManifest | None


@dataclass(frozen=True, slots=True)
class TriggerCheckpoint:
    """Send a barrier from every source task."""

    checkpoint_id: int
    suspend: bool


@dataclass(frozen=True, slots=True)
class PublishCheckpoint:
    """Make a checkpoint exist; answer ``CheckpointPublished`` or ``CheckpointPublishFailed``."""

    manifest: CheckpointManifest


@dataclass(frozen=True, slots=True)
class DiscardCheckpoint:
    """Remove the files of a checkpoint that was given up."""

    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class NotifyCheckpointComplete:
    """Tell readers that a checkpoint is complete."""

    manifest: CheckpointManifest


@dataclass(frozen=True, slots=True)
class Commit:
    """Publish committables of a complete checkpoint, in order; answer ``Committed`` or ``CommitFailed``."""

    checkpoint_id: int
    committables: Sequence[Committable]


@dataclass(frozen=True, slots=True)
class RetainCheckpoints:
    """Keep these checkpoints and what they refer to; everything else may be deleted."""

    manifests: Sequence[CheckpointManifest]


@dataclass(frozen=True, slots=True)
class EndInput:
    """Let every source end its input as if nothing more came: event time ends, all its timers fire (``--drain``)."""


@dataclass(frozen=True, slots=True)
class WriteSavepoint:
    """Copy a complete checkpoint into a savepoint; answer ``SavepointWritten`` or ``SavepointWriteFailed``."""

    trigger_id: int
    manifest: CheckpointManifest


@dataclass(frozen=True, slots=True)
class DeclineSavepoint:
    """Tell whoever asked that there will be no savepoint."""

    trigger_id: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class CancelTasks:
    """Close all tasks of the attempt."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """The job is over."""

    state: JobState
    error: BaseException | None


Command = (
    RecoverCommitters
    | DeployTasks
    | TriggerCheckpoint
    | PublishCheckpoint
    | DiscardCheckpoint
    | NotifyCheckpointComplete
    | Commit
    | RetainCheckpoints
    | EndInput
    | WriteSavepoint
    | DeclineSavepoint
    | CancelTasks
    | Terminate
)


# --------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class CommittersRecovered:
    """Every committer is settled; ``states`` is what they have confirmed."""

    states: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class CommittersFailed:
    """A committer could not be settled."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TasksDeployed:
    """All tasks of the attempt run."""

    attempt: int


@dataclass(frozen=True, slots=True)
class DeployFailed:
    """The attempt could not be deployed."""

    attempt: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class CheckpointPublished:
    """The checkpoint exists."""

    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class CheckpointPublishFailed:
    """The checkpoint could not be made durable and does not exist."""

    checkpoint_id: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class CheckpointDiscarded:
    """Nothing is left of a checkpoint that was given up, or, with an error, a start may still find it."""

    checkpoint_id: int
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class Committed:
    """Everything of that checkpoint is published and confirmed."""

    checkpoint_id: int
    states: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """Publishing failed for good."""

    checkpoint_id: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Stop with a final checkpoint, everything decided delivered."""


@dataclass(frozen=True, slots=True)
class SavepointRequested:
    """Take a savepoint.

    Args:
        trigger_id: names the request.
        stop: end the job with it, everything up to it delivered.
        drain: end event time first; only together with ``stop``.
    """

    trigger_id: int
    stop: bool = False
    drain: bool = False


@dataclass(frozen=True, slots=True)
class SavepointWritten:
    """The savepoint exists."""

    trigger_id: int


@dataclass(frozen=True, slots=True)
class SavepointWriteFailed:
    """It could not be written; the checkpoint it was to be a copy of exists all the same."""

    trigger_id: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Stop without one; what is decided is still delivered."""


@dataclass(frozen=True, slots=True)
class JobFailed:
    """Something outside the tasks failed (discovery, an I/O thread)."""

    error: BaseException


MasterEvent = (
    CommittersRecovered
    | CommittersFailed
    | TasksDeployed
    | DeployFailed
    | CheckpointPublished
    | CheckpointPublishFailed
    | CheckpointDiscarded
    | Committed
    | CommitFailed
    | StopRequested
    | SavepointRequested
    | SavepointWritten
    | SavepointWriteFailed
    | CancelRequested
    | JobFailed
)

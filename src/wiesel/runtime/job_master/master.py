"""The JobMaster: one job's life as a pure state machine. Events go in, commands come out; no clock, socket or file.

What it guarantees: output is committed only after its checkpoint exists, in order; a restart uses the newest complete
checkpoint and waits until it is known which one that is; a job ends only when everything decided is delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wiesel.core.contracts import Committable, Json
from wiesel.core.errors import CheckpointError, JobExecutionError, is_retriable
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.failures import is_out_of_memory, summary_of
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import Command, JobState, MasterEvent
from wiesel.runtime.job_master.coordinator import CheckpointCoordinator, CheckpointSettings, PendingCheckpoint
from wiesel.runtime.job_master.facts import JobFacts
from wiesel.runtime.job_master.restart import RestartStrategy
from wiesel.runtime.job_master.savepoints import Savepoints
from wiesel.runtime.reports import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    InputEnded,
    OperatorSnapshot,
    TaskFailed,
    TaskId,
    TaskReport,
)

#: A savepoint that was to stop the job and cannot be written lets one in these states go on.
_GOES_ON: Final = (JobState.RUNNING, JobState.RESTARTING)
#: A savepoint can be asked for in these: while tasks are deployed it waits, since output is delivered by then already.
_COMING: Final = (JobState.RUNNING, JobState.INITIALIZING)


@dataclass(frozen=True, slots=True)
class _Publishing:
    """A checkpoint of which it is not yet known whether it exists.

    Args:
        manifest: what is being made durable.
        complete: what the tasks gave for it.
        fresh: its own committables; those of earlier checkpoints are in the manifest too, but committed already.
    """

    manifest: CheckpointManifest
    complete: PendingCheckpoint
    fresh: Sequence[Committable]


class JobMaster:
    """Decides; see the module.

    Args:
        facts: the job.
        settings: checkpoint intervals and limits.
        strategy: what to do after a failure.
        restore: the checkpoint this start goes on from.
        pending: committables of earlier starts that are not known to be published.
        next_checkpoint_id: above every number ever used in the job directory.
    """

    def __init__(
        self,
        facts: JobFacts,
        settings: CheckpointSettings,
        strategy: RestartStrategy,
        restore: CheckpointManifest | None = None,
        pending: Sequence[Committable] = (),
        next_checkpoint_id: int = 1,
    ) -> None:
        self.state = JobState.CREATED
        self.attempt = 0
        self.restarts = 0
        self.error: BaseException | None = None
        self.checkpoint_failure: CheckpointError | None = None
        self.coordinator = CheckpointCoordinator(settings, next_checkpoint_id)
        self.latest = restore
        self.committers: dict[str, Json] = {}
        self._facts = facts
        self._strategy = strategy
        self._startup_pending = list(pending)
        self._completed: list[CheckpointManifest] = [] if restore is None else [restore]
        self._unconfirmed: dict[int, Sequence[Committable]] = {}
        self._publishing: _Publishing | None = None
        #: Checkpoints whose publication failed, maybe half-way: being removed, and such as could not be.
        self._removing: set[int] = set()
        self._left_over: set[int] = set()
        self._savepoints = Savepoints()
        self._stopped_with_savepoint = False
        self._enumerators: dict[str, Json] = {}
        self._ended: set[TaskId] = set()
        self._restart_at_ms: int | None = None
        self._stopping = False
        self._final_done = False
        self._goal = JobState.FINISHED
        self._commands: list[Command] = []

    # ------------------------------------------------------------------------------------------------ driving

    def start(self) -> list[Command]:
        """Begin: sinks are settled before any source runs."""
        self.state = JobState.INITIALIZING
        states = {} if self.latest is None else self.latest.committers
        self._do(c.RecoverCommitters(self._startup_pending, states))
        return self._take()

    def enumerators_at_barrier(self, snapshots: Mapping[str, Json]) -> None:
        """Take every source enumerator's snapshot, by operator uid, as of the checkpoint just triggered."""
        self._enumerators = dict(snapshots)

    def tick(self, now_ms: int) -> list[Command]:
        """Let time pass; ``now_ms`` is the monotonic clock in milliseconds."""
        if self.state is JobState.RUNNING:
            if self.coordinator.is_expired(now_ms):
                self._checkpoint_failed(
                    now_ms,
                    CheckpointError(
                        f"Checkpoint {self.coordinator.next_id - 1} did not complete within its timeout of "
                        f"{self.coordinator.settings.timeout_ms} ms."
                    ),
                )
            self._trigger_if_due(now_ms)
        elif self.state is JobState.RESTARTING:
            self._restart_if_due(now_ms)
        self._finish_if_done()
        return self._take()

    def handle(self, event: MasterEvent | TaskReport, now_ms: int) -> list[Command]:
        """Take one event."""
        if self.state.is_terminal:
            return []
        if isinstance(event, TaskReport | c.TasksDeployed | c.DeployFailed) and event.attempt != self.attempt:
            return []  # of an attempt that is over
        if isinstance(event, CheckpointAcknowledged):
            self._acknowledged(event, now_ms)
        elif isinstance(event, InputEnded):
            self._ended.add(event.task)
        elif isinstance(event, TaskFailed | c.DeployFailed | c.JobFailed):
            self._failed(event.error, now_ms)
        elif isinstance(event, CheckpointDeclined):
            self._declined(event, now_ms)
        else:
            self._handle_answer(event, now_ms)
        if self.state is JobState.RUNNING:
            self._trigger_if_due(now_ms)
        self._finish_if_done()
        return self._take()

    def next_due_ms(self) -> int | None:
        """Return when ``tick`` should be called at the latest; None when only events matter."""
        if self._publishing is not None or self._final_done:
            return None
        if self.state is JobState.RESTARTING:
            return None if self._removing else self._restart_at_ms
        if self.state is not JobState.RUNNING:
            return None
        return self.coordinator.next_due_ms(len(self._unconfirmed))

    def _do(self, command: Command) -> None:
        self._commands.append(command)

    def _take(self) -> list[Command]:
        taken, self._commands = self._commands, []
        return taken

    # ------------------------------------------------------------------------------------------------- events

    def _handle_answer(self, event: MasterEvent | TaskReport, now_ms: int) -> None:
        if isinstance(event, c.CommittersRecovered):
            self.committers = dict(event.states)
            if self._stopping:
                self._final_done = True
            else:
                self._deploy()
        elif isinstance(event, c.CommittersFailed | c.CommitFailed):
            # A committer retries by itself; what it raises is final.
            self._give_up(event.error)
        elif isinstance(event, c.TasksDeployed):
            if self.state is JobState.INITIALIZING:
                self.state = JobState.RUNNING
                self.coordinator.reset(now_ms)
                if any(request.drain for request in self._savepoints.waiting):
                    self._do(c.EndInput())
        elif isinstance(event, c.CheckpointPublished):
            self._published()
        elif isinstance(event, c.CheckpointPublishFailed):
            self._publish_failed(event, now_ms)
        elif isinstance(event, c.CheckpointDiscarded):
            self._discarded(event, now_ms)
        elif isinstance(event, c.Committed):
            self._unconfirmed.pop(event.checkpoint_id, None)
            self.committers = dict(event.states)
        elif isinstance(event, c.StopRequested):
            self._stop(now_ms)
        elif isinstance(event, c.SavepointRequested):
            self._savepoint_requested(event)
        elif isinstance(event, c.SavepointWritten):
            self._savepoint_written(event)
        elif isinstance(event, c.SavepointWriteFailed):
            self._savepoint_write_failed(event, now_ms)
        elif isinstance(event, c.CancelRequested):
            self._cancel(now_ms)

    def _stop(self, now_ms: int) -> None:
        if self.coordinator.settings.only_final and not self._is_over():
            self._cancel(now_ms)  # what waits to be sorted is in no checkpoint; a later start begins anew
            return
        self._stopping = True
        if self.state is JobState.RESTARTING:
            # The newest checkpoint is already as far as this job has come.
            self.state = JobState.CANCELLING
            self._final_done = True
        self._trigger_if_due(now_ms)

    def _cancel(self, now_ms: int) -> None:
        self._stopping = True
        self._final_done = True
        self._goal = JobState.CANCELED
        if self.state in (JobState.RUNNING, JobState.RESTARTING):
            self._do(c.CancelTasks())
        self.state = JobState.CANCELLING
        self._abandon_checkpoint(now_ms)
        self._decline_undecided("The job was cancelled before the savepoint was taken.")

    # -------------------------------------------------------------------------------------------- checkpoints

    def _trigger_if_due(self, now_ms: int) -> None:
        """Trigger the final checkpoint once stopping or out of input, else a periodic one when its time has come."""
        if self.state is not JobState.RUNNING or self._publishing is not None or self._final_done:
            return
        final = self._is_over()
        if self.coordinator.pending is not None:
            return
        if final:
            self._savepoints.board(final=True)
            self._trigger(now_ms, suspend=True)
        elif self._savepoints.is_ready() and self.coordinator.has_room(len(self._unconfirmed)):
            riding = self._savepoints.board(final=False)
            self._trigger(now_ms, suspend=any(request.stop for request in riding))
        elif self.coordinator.is_due(now_ms, len(self._unconfirmed)):
            self._trigger(now_ms, suspend=False)

    def _trigger(self, now_ms: int, suspend: bool) -> None:
        checkpoint_id = self.coordinator.trigger(now_ms, self._facts.tasks, suspend)
        self._do(c.TriggerCheckpoint(checkpoint_id, suspend))

    def _acknowledged(self, event: CheckpointAcknowledged, now_ms: int) -> None:
        complete = self.coordinator.acknowledge(event.task, event.checkpoint_id, event.operators, now_ms)
        if complete is None:
            return
        if not self._facts.has_storage:
            self._final_done = complete.suspend
            return
        self._publishing = self._publication(complete, now_ms)
        self._do(c.PublishCheckpoint(self._publishing.manifest))

    def _publication(self, complete: PendingCheckpoint, now_ms: int) -> _Publishing:
        operators: dict[str, OperatorManifest] = {}
        fresh: list[Committable] = []
        for facts in self._facts.operators:
            parts = [
                complete.acknowledged[TaskId(facts.vertex_id, i)].get(facts.uid, OperatorSnapshot())
                for i in range(facts.parallelism)
            ]
            fresh += [item for part in parts for item in part.committables]
            operators[facts.uid] = OperatorManifest(
                facts.name, facts.max_parallelism, parts, self._enumerators.get(facts.uid)
            )
        pending = [item for items in self._unconfirmed.values() for item in items] + fresh
        manifest = CheckpointManifest(
            complete.checkpoint_id,
            self._facts.lineage,
            now_ms,
            operators,
            pending,
            dict(self.committers),
            self._facts.job_id,
        )
        return _Publishing(manifest, complete, fresh)

    def _published(self) -> None:
        assert self._publishing is not None
        manifest, complete, fresh = self._publishing.manifest, self._publishing.complete, self._publishing.fresh
        self._publishing = None
        self.coordinator.count_success()
        self.latest = manifest
        self._completed.append(manifest)
        if fresh:
            self._unconfirmed[manifest.checkpoint_id] = fresh
            self._do(c.Commit(manifest.checkpoint_id, fresh))
        self._do(c.NotifyCheckpointComplete(manifest))
        keep = max(1, self.coordinator.settings.retained)
        self._completed = self._completed[-keep:]
        for request in self._savepoints.complete(manifest, complete.suspend):
            self._do(c.WriteSavepoint(request.trigger_id, manifest))
        self._retain()
        self._remove(set(self._left_over))
        self._final_done = self._final_done or complete.suspend

    def _retain(self) -> None:
        kept = {manifest.checkpoint_id: manifest for manifest in [*self._savepoints.pinned(), *self._completed]}
        self._do(c.RetainCheckpoints([kept[checkpoint_id] for checkpoint_id in sorted(kept)]))

    def _publish_failed(self, event: c.CheckpointPublishFailed, now_ms: int) -> None:
        if self._publishing is not None:
            self.coordinator.carry_over(self._publishing.complete)
            self._publishing = None
        self._remove({event.checkpoint_id})
        self._checkpoint_failed(now_ms, event.error)

    def _remove(self, checkpoint_ids: Iterable[int]) -> None:
        for checkpoint_id in sorted(checkpoint_ids):
            self._left_over.discard(checkpoint_id)
            self._removing.add(checkpoint_id)
            self._do(c.DiscardCheckpoint(checkpoint_id))

    def _discarded(self, event: c.CheckpointDiscarded, now_ms: int) -> None:
        if event.checkpoint_id not in self._removing:
            return  # it was never published
        self._removing.discard(event.checkpoint_id)
        if event.error is None:
            return
        self._left_over.add(event.checkpoint_id)
        if self.state is JobState.RESTARTING and self._restart_is_due(now_ms):
            self.error = _checkpoint_error(event.error)
            self._restart_later_or_fail(event.error, now_ms)

    def _declined(self, event: CheckpointDeclined, now_ms: int) -> None:
        pending = self.coordinator.pending
        if pending is not None and pending.checkpoint_id == event.checkpoint_id:
            self._checkpoint_failed(now_ms, event.error)

    def _abandon_checkpoint(self, now_ms: int) -> None:
        abandoned = self.coordinator.give_up(now_ms)
        if abandoned is not None:
            self._do(c.DiscardCheckpoint(abandoned.checkpoint_id))

    def _checkpoint_failed(self, now_ms: int, error: BaseException) -> None:
        self._abandon_checkpoint(now_ms)
        self.checkpoint_failure = failure = error if isinstance(error, CheckpointError) else _checkpoint_error(error)
        riding = self._savepoints.throw_off()
        self._decline(riding, failure)
        if not is_retriable(failure):
            self._failed(failure, now_ms)  # no later checkpoint can succeed either
        elif riding and not self._is_over():
            if any(request.stop for request in riding):
                self._failed(failure, now_ms)  # sources have stopped behind the barrier, and the job must go on
        elif self.coordinator.count_failure():
            self._failed(failure, now_ms)

    # ------------------------------------------------------------------------------------------------ savepoints

    def _savepoint_requested(self, request: c.SavepointRequested) -> None:
        if self.state not in _COMING or self._stopping or self._final_done:
            state = "stopping" if self.state is JobState.RUNNING else self.state.value
            self._decline([request], CheckpointError(f"The job is {state}, so no savepoint can be taken now."))
        elif self.coordinator.settings.only_final:
            self._decline(
                [request],
                CheckpointError(
                    "A job in BATCH mode takes no savepoints, as in Flink: records that wait to be sorted are in none. "
                    "Run it in STREAMING mode, or with execution.sorted-inputs.enabled=false."
                ),
            )
        elif request.stop and self._savepoints.stopping is not None:
            self._decline([request], CheckpointError("The job is being stopped with a savepoint already."))
        else:
            self._savepoints.waiting.append(request)
            if request.drain and self.state is JobState.RUNNING:
                self._do(c.EndInput())

    def _savepoint_written(self, event: c.SavepointWritten) -> None:
        request = self._savepoints.written(event.trigger_id)
        self._stopped_with_savepoint = self._stopped_with_savepoint or (request is not None and request.stop)
        self._retain()

    def _savepoint_write_failed(self, event: c.SavepointWriteFailed, now_ms: int) -> None:
        request = self._savepoints.written(event.trigger_id)
        self._retain()
        if request is None or not request.stop or self._stopping or self.state not in _GOES_ON:
            return
        if request.drain:
            # Windows were closed before their time: to read on would open them a second time.
            self._give_up(event.error)
        elif not self._is_over():
            self._final_done = False
            self._failed(event.error, now_ms)

    def _is_over(self) -> bool:
        return self._stopping or len(self._ended) == len(self._facts.tasks)

    def _decline(self, requests: Iterable[c.SavepointRequested], error: BaseException) -> None:
        for request in requests:
            self._do(c.DeclineSavepoint(request.trigger_id, error))

    def _decline_undecided(self, why: str) -> None:
        """No checkpoint will come for those who wait for one, or ride on one that is not being published."""
        gone = self._savepoints.give_up_waiting()
        if self._publishing is None:
            gone += self._savepoints.throw_off()
        self._decline(gone, CheckpointError(why))

    # ------------------------------------------------------------------------------------- failing and ending

    def _failed(self, error: BaseException, now_ms: int) -> None:
        if self.state not in (JobState.RUNNING, JobState.INITIALIZING):
            return
        if self._final_done:
            return  # the last checkpoint holds everything; the tasks have nothing more to give
        self.error = error
        self._abandon_checkpoint(now_ms)
        self._decline_undecided(f"The job failed before the savepoint was taken: {error}")
        self._do(c.CancelTasks())
        self._restart_later_or_fail(error, now_ms)

    def _restart_later_or_fail(self, error: BaseException, now_ms: int) -> None:
        delay = self._strategy.next_delay_ms(now_ms) if is_retriable(error) and not self._stopping else None
        if delay is None:
            self.state = JobState.FAILING
            self._goal = JobState.FAILED
            self._final_done = True
        else:
            self.state = JobState.RESTARTING
            self._restart_at_ms = now_ms + delay

    def _restart_is_due(self, now_ms: int) -> bool:
        return self._restart_at_ms is not None and now_ms >= self._restart_at_ms

    def _restart_if_due(self, now_ms: int) -> None:
        # Which checkpoint is the newest must be known: one that is being published may yet exist.
        if self._publishing is not None or self._removing or self._final_done:
            return
        if self._restart_is_due(now_ms):
            if self._left_over:
                # New writers remove the output behind the checkpoint that they go on from, which this one lists.
                self._remove(set(self._left_over))
                return
            self._restart_at_ms = None
            self.attempt += 1
            self.restarts += 1
            self.state = JobState.INITIALIZING
            self._deploy()

    def _deploy(self) -> None:
        self._ended.clear()
        self._do(c.DeployTasks(self.attempt, self.latest))

    def _give_up(self, error: BaseException) -> None:
        """End without waiting for output: its committer has said that it cannot be delivered."""
        self.error = error
        self._unconfirmed.clear()
        self._publishing = None
        self._decline(self._savepoints.give_up(), error)
        if self.state in (JobState.RUNNING, JobState.INITIALIZING):
            self._do(c.CancelTasks())
        self.state = JobState.FAILING
        self._goal = JobState.FAILED
        self._final_done = True

    def _finish_if_done(self) -> None:
        if self.state.is_terminal or not self._final_done or self._unconfirmed or self._publishing is not None:
            return
        for request, manifest in self._savepoints.delivered():
            everything = replace(manifest, pending=(), committers=dict(self.committers))
            self._do(c.WriteSavepoint(request.trigger_id, everything))
        if self._savepoints.writing:
            return
        self._decline(self._savepoints.give_up(), CheckpointError("The job ended before the savepoint was taken."))
        if self.state in (JobState.RUNNING, JobState.INITIALIZING):
            self._do(c.CancelTasks())
        self.state = self._goal
        self._do(c.Terminate(self._goal, self.error if self._goal is JobState.FAILED else None))

    @property
    def stopped_early(self) -> bool:
        """Whether the job ended by request rather than by the end of its input."""
        return self._stopping or self._stopped_with_savepoint


def _checkpoint_error(error: BaseException) -> CheckpointError:
    reason = summary_of(error) if is_out_of_memory(error) else str(error) or type(error).__name__
    text = f"A checkpoint could not be taken: {reason}"
    refused = error.__cause__ if isinstance(error, JobExecutionError) else error  # wrapped when it is a worker's
    if isinstance(refused, OSError):
        text = (
            f"A checkpoint could not be written: {refused.strerror or refused} ({refused.filename}). Make room there, "
            f"or set execution.checkpointing.dir to another place."
        )
    failure = CheckpointError(text)
    failure.__cause__ = error
    return failure

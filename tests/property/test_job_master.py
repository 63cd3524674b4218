"""The JobMaster under any order of events: what it promises about checkpoints, output and the end holds throughout."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wiesel.core.contracts import Committable
from wiesel.core.errors import CheckpointCorruptError
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import JobState
from wiesel.runtime.job_master.coordinator import MAX_UNCONFIRMED, CheckpointSettings
from wiesel.runtime.job_master.facts import JobFacts, OperatorFacts
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.job_master.restart import FixedDelay
from wiesel.runtime.reports import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    InputEnded,
    OperatorSnapshot,
    TaskFailed,
    TaskId,
)

SOURCE, SINK_0, SINK_1 = TaskId(1, 0), TaskId(2, 0), TaskId(2, 1)
TASKS = [SOURCE, SINK_0, SINK_1]
OPERATORS = [OperatorFacts("source", "Source", 1, 1, 128), OperatorFacts("sink", "Sink", 2, 2, 128)]


mostly = st.sampled_from([True] * 9 + [False])


class World(RuleBasedStateMachine):
    """Does what the commands say, late and in any order, and remembers what is true outside."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.master: JobMaster
        self.published: list[int] = []
        self.outputs = 0
        #: Output of the current attempt that tasks made durable, by task, in order.
        self.made: dict[TaskId, list[str]] = {}
        #: Output behind no checkpoint yet, when the attempt it came from has ended.
        self.committed: list[str] = []
        self.committing: list[c.Commit] = []
        self.publishing: c.PublishCheckpoint | None = None
        #: Checkpoints whose publication failed and that a start might find, and those that are being removed.
        self.half_published: set[int] = set()
        self.discarding: list[int] = []
        #: Barriers that tasks have still to answer: (attempt, task, checkpoint).
        self.barriers: list[tuple[int, TaskId, int]] = []
        self.late: list[Any] = []
        self.terminated: c.Terminate | None = None
        self.running = False
        self.recovering = False
        #: Savepoints that were asked for and not answered, and those of them that are being written.
        self.asked: dict[int, c.SavepointRequested] = {}
        self.writing: list[c.WriteSavepoint] = []
        self.answered: set[int] = set()

    @initialize(
        interval=st.sampled_from([None, 10]),
        tolerable=st.integers(0, 2),
        attempts=st.sampled_from([0, 3, 30]),
        retained=st.integers(1, 3),
        restored=st.booleans(),
    )
    def start(self, interval: int | None, tolerable: int, attempts: int, retained: int, restored: bool) -> None:
        restore = CheckpointManifest(5, "lineage", 0) if restored else None
        if restore is not None:
            self.published.append(5)
        self.master = JobMaster(
            JobFacts(TASKS, OPERATORS, "lineage", has_storage=True),
            CheckpointSettings(interval, timeout_ms=50, tolerable_failures=tolerable, retained=retained),
            FixedDelay(attempts, 5),
            restore,
            next_checkpoint_id=6,
        )
        self.perform(self.master.start())

    # ---------------------------------------------------------------------------------------------- the world

    def event(self, event: Any) -> None:
        self.perform(self.master.handle(event, self.now))

    def perform(self, commands: list[c.Command]) -> None:
        assert self.terminated is None or not commands, "a job that is over asks for nothing"
        for command in commands:
            match command:
                case c.RecoverCommitters():
                    self.recovering = True
                case c.DeployTasks():
                    newest = max(self.published, default=None)
                    restored = None if command.restore is None else command.restore.checkpoint_id
                    assert restored == newest, "a restart uses the newest checkpoint, never an older one"
                    assert self.publishing is None, "and knows which one that is"
                    assert not self.half_published, "what such a checkpoint lists is removed by the tasks"
                    self.running = True
                    self.made = {task: [] for task in TASKS}
                    self.event(c.TasksDeployed(command.attempt))
                case c.TriggerCheckpoint():
                    if not command.suspend:
                        assert len(self.undelivered()) < MAX_UNCONFIRMED
                    assert self.publishing is None
                    self.barriers += [(self.master.attempt, task, command.checkpoint_id) for task in TASKS]
                case c.PublishCheckpoint():
                    assert self.publishing is None, "one at a time"
                    self.publishing = command
                case c.Commit():
                    assert command.checkpoint_id in self.published, "output is committed only when decided"
                    assert [x.checkpoint_id for x in self.committing] == sorted(
                        x.checkpoint_id for x in self.committing
                    )
                    self.committing.append(command)
                case c.CancelTasks():
                    self.running = False
                    self.late += [b for b in self.barriers if b[0] == self.master.attempt]
                    self.barriers.clear()
                case c.RetainCheckpoints():
                    kept = [manifest.checkpoint_id for manifest in command.manifests]
                    assert kept[-1] == max(self.published)
                    assert {w.manifest.checkpoint_id for w in self.writing} <= set(kept), "it is being copied"
                case c.WriteSavepoint():
                    request = self.asked[command.trigger_id]
                    assert command.manifest.checkpoint_id in self.published
                    if request.stop:
                        assert not command.manifest.pending, "a stop delivers everything first"
                        assert not self.committing
                    self.writing.append(command)
                case c.DeclineSavepoint():
                    self.answer_savepoint(command.trigger_id)
                case c.DiscardCheckpoint():
                    assert command.checkpoint_id not in self.published, "what exists is not discarded"
                    assert command.checkpoint_id not in self.discarding, "once at a time"
                    self.discarding.append(command.checkpoint_id)
                case c.Terminate():
                    if command.state is not JobState.FAILED or not self.gave_up:
                        assert not self.committing, "a job ends when everything decided is delivered"
                    assert self.publishing is None or self.gave_up
                    assert not self.running
                    assert not self.writing
                    assert not self.asked, "whoever asks for a savepoint gets an answer"
                    self.terminated = command

    gave_up = False

    def undelivered(self) -> list[int]:
        return [commit.checkpoint_id for commit in self.committing]

    def answer(self, barrier: tuple[int, TaskId, int]) -> None:
        """The task reports everything since its last barrier as output of this one."""
        attempt, task, number = barrier
        part = OperatorSnapshot()
        if task is not SOURCE:
            name = f"{attempt}/{task.subtask}/{number}"
            if attempt == self.master.attempt and self.running:
                self.made[task].append(name)
            part = OperatorSnapshot(committables=[Committable("sink", {"name": name})])
        uid = "source" if task is SOURCE else "sink"
        self.event(CheckpointAcknowledged(attempt, task, number, {uid: part}))

    # ------------------------------------------------------------------------------------------------- events

    @precondition(lambda self: self.recovering and self.terminated is None)
    @rule(works=mostly)
    def recovered(self, works: bool) -> None:
        self.recovering = False
        self.gave_up = not works
        self.event(c.CommittersRecovered({}) if works else c.CommittersFailed(RuntimeError()))

    @precondition(lambda self: self.terminated is None)
    @rule(ms=st.integers(1, 30))
    def time_passes(self, ms: int) -> None:
        due = self.master.next_due_ms()
        self.now += ms
        if due is None or due <= self.now:  # a driver may look more often than it must
            self.perform(self.master.tick(self.now))
            after = self.master.next_due_ms()
            assert after is None or after > self.now, "the driver would spin"

    @precondition(lambda self: self.barriers and self.terminated is None)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        # A task answers its barriers in order; tasks do not wait for each other.
        first: dict[TaskId, tuple[int, TaskId, int]] = {}
        for barrier in self.barriers:
            first.setdefault(barrier[1], barrier)
        barrier = data.draw(st.sampled_from(list(first.values())))
        self.barriers.remove(barrier)
        self.answer(barrier)

    @precondition(lambda self: self.late and self.terminated is None)
    @rule()
    def acknowledge_late(self) -> None:
        self.answer(self.late.pop())

    @precondition(lambda self: self.barriers and self.terminated is None)
    @rule()
    def decline(self) -> None:
        attempt, task, number = next((b for b in self.barriers if b[1] is SOURCE), (0, SOURCE, -1))
        if number >= 0:
            self.barriers.remove((attempt, task, number))
            self.event(CheckpointDeclined(attempt, task, number, OSError("full")))

    @precondition(lambda self: self.publishing is not None and self.terminated is None)
    @rule(works=st.sampled_from([True, True, True, False]))
    def publication_ends(self, works: bool) -> None:
        assert self.publishing is not None
        manifest, self.publishing = self.publishing.manifest, None
        if not works:
            self.half_published.add(manifest.checkpoint_id)
            self.event(c.CheckpointPublishFailed(manifest.checkpoint_id, OSError("full")))
            return
        self.check_complete(manifest)
        self.published.append(manifest.checkpoint_id)
        self.event(c.CheckpointPublished(manifest.checkpoint_id))

    @precondition(lambda self: self.discarding and self.terminated is None)
    @rule(works=st.booleans())
    def discard_ends(self, works: bool) -> None:
        checkpoint_id = self.discarding.pop(0)
        if works:
            self.half_published.discard(checkpoint_id)
        self.event(c.CheckpointDiscarded(checkpoint_id, None if works else OSError("full")))

    def check_complete(self, manifest: CheckpointManifest) -> None:
        """Everything the tasks made durable up to this barrier is delivered or listed: no crash can lose it."""
        listed = [item.data["name"] for item in manifest.pending]
        known = set(self.committed) | set(listed)
        if self.running:
            for names in self.made.values():
                upto = [name for name in names if int(name.rpartition("/")[2]) <= manifest.checkpoint_id]
                assert set(upto) <= known, (upto, known)
                order = [name for name in listed if name in names]
                assert order == [name for name in names if name in order], "in the order in which it was made"

    @precondition(lambda self: self.committing and self.terminated is None)
    @rule(works=mostly)
    def commit_ends(self, works: bool) -> None:
        commit = self.committing.pop(0)
        if not works:
            self.gave_up = True
            self.event(c.CommitFailed(commit.checkpoint_id, RuntimeError()))
            return
        names = [item.data["name"] for item in commit.committables]
        assert not set(names) & set(self.committed), "nothing is committed twice"
        self.committed += names
        self.event(c.Committed(commit.checkpoint_id, {}))

    @precondition(lambda self: self.running and self.terminated is None)
    @rule(task=st.sampled_from(TASKS), retriable=mostly)
    def task_fails(self, task: TaskId, retriable: bool) -> None:
        error = ValueError("user") if retriable else CheckpointCorruptError("damaged")
        self.event(TaskFailed(self.master.attempt, task, error))

    @precondition(lambda self: self.running and self.terminated is None)
    @rule(task=st.sampled_from(TASKS))
    def input_ends(self, task: TaskId) -> None:
        self.event(InputEnded(self.master.attempt, task))

    @precondition(lambda self: self.terminated is None)
    @rule(kind=st.sampled_from([None] * 10 + [c.StopRequested(), c.CancelRequested()]))
    def stop(self, kind: Any) -> None:
        if kind is not None:
            self.event(kind)

    def answer_savepoint(self, trigger_id: int) -> None:
        del self.asked[trigger_id]
        assert trigger_id not in self.answered, "one answer to a request"
        self.answered.add(trigger_id)

    @precondition(lambda self: self.terminated is None)
    @rule(stop=st.sampled_from([None] * 6 + [False, False, True]), drain=st.booleans())
    def ask_for_savepoint(self, stop: bool | None, drain: bool) -> None:
        if stop is not None:
            request = c.SavepointRequested(len(self.asked) + len(self.answered) + 1, stop, stop and drain)
            self.asked[request.trigger_id] = request
            self.event(request)

    @precondition(lambda self: self.writing and self.terminated is None)
    @rule(works=mostly)
    def savepoint_ends(self, works: bool) -> None:
        trigger_id = self.writing.pop(0).trigger_id
        self.answer_savepoint(trigger_id)
        self.event(c.SavepointWritten(trigger_id) if works else c.SavepointWriteFailed(trigger_id, OSError("full")))

    @precondition(lambda self: self.terminated is None)
    @rule(publishes=st.sampled_from([True, False, None]), answers=st.integers(0, 3))
    def checkpoint(self, publishes: bool | None, answers: int) -> None:
        """The usual course of things, which single steps find only now and then."""
        self.time_passes(10)
        for _ in range(answers):
            if self.barriers:
                self.answer(self.barriers.pop(0))
        if self.publishing is not None and publishes is not None:
            self.publication_ends(works=publishes)

    @precondition(lambda self: self.terminated is not None)
    @rule()
    def nothing_more_happens(self) -> None:
        assert self.master.tick(self.now) == []

    # --------------------------------------------------------------------------------------------- afterwards

    @invariant()
    def is_over_when_it_says_so(self) -> None:
        if self.terminated is not None:
            assert self.master.state is self.terminated.state
            assert self.master.next_due_ms() is None
            assert self.master.handle(TaskFailed(self.master.attempt, SOURCE, ValueError()), self.now) == []

    def teardown(self) -> None:
        """Whatever happened: once the input ends and everything is answered, the job ends."""
        if not hasattr(self, "master"):
            return
        for _ in range(300):
            if self.terminated is not None:
                return
            if self.recovering:
                self.recovered(works=True)
            elif self.committing:
                self.commit_ends(works=True)
            elif self.publishing is not None:
                self.publication_ends(works=True)
            elif self.discarding:
                self.discard_ends(works=True)
            elif self.barriers:
                self.answer(self.barriers.pop(0))
            elif self.writing:
                self.savepoint_ends(works=True)
            else:
                if self.running:
                    for task in TASKS:
                        if self.running:
                            self.input_ends(task)
                self.time_passes(30)
        raise AssertionError(f"never ends in state {self.master.state}")


TestJobMaster = World.TestCase
TestJobMaster.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)

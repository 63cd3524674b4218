"""The checkpoint coordinator on its own: when a checkpoint begins, is complete, is given up."""

from wiesel.core.contracts import Committable
from wiesel.runtime.job_master.coordinator import CheckpointCoordinator, CheckpointSettings, PendingCheckpoint
from wiesel.runtime.reports import OperatorSnapshot, TaskId

A, B = TaskId(1, 0), TaskId(2, 0)


def coordinator(**settings: int | None) -> CheckpointCoordinator:
    made = CheckpointCoordinator(CheckpointSettings(**{"interval_ms": 100, **settings}), next_id=4)  # type: ignore[arg-type]
    made.reset(0)
    return made


def part(*names: str) -> dict[str, OperatorSnapshot]:
    return {"sink": OperatorSnapshot(committables=[Committable("sink", {"name": name}) for name in names])}


def names(complete: PendingCheckpoint | None, task: TaskId) -> list[str]:
    assert complete is not None
    return [item.data["name"] for item in complete.acknowledged[task]["sink"].committables]


def test_numbers_go_on_from_where_the_job_directory_is() -> None:
    checkpoints = coordinator()
    assert [checkpoints.trigger(now, [A], suspend=False) for now in (0, 1)] == [4, 5]


def test_a_checkpoint_is_complete_with_the_last_task() -> None:
    checkpoints = coordinator()
    checkpoints.trigger(100, [A, B], suspend=True)
    assert checkpoints.acknowledge(A, 4, part("a"), 110) is None
    complete = checkpoints.acknowledge(B, 4, part("b"), 120)
    assert complete is not None
    assert complete.suspend
    assert (names(complete, A), names(complete, B)) == (["a"], ["b"])
    assert checkpoints.pending is None


def test_a_task_that_answers_twice_counts_once() -> None:
    checkpoints = coordinator()
    checkpoints.trigger(100, [A, B], suspend=False)
    checkpoints.acknowledge(A, 4, part("a"), 110)
    checkpoints.acknowledge(A, 4, part("a"), 111)
    assert names(checkpoints.acknowledge(B, 4, part(), 120), A) == ["a"]


def test_output_of_given_up_checkpoints_joins_the_next_in_the_order_it_was_made() -> None:
    checkpoints = coordinator()
    checkpoints.trigger(100, [A, B], suspend=False)
    checkpoints.acknowledge(A, 4, part("a1"), 110)
    checkpoints.give_up(120)
    checkpoints.trigger(200, [A, B], suspend=False)
    checkpoints.acknowledge(A, 5, part("a2"), 210)
    checkpoints.give_up(220)
    checkpoints.trigger(300, [A, B], suspend=False)
    checkpoints.acknowledge(B, 6, part(), 310)
    assert names(checkpoints.acknowledge(A, 6, part("a3"), 320), A) == ["a1", "a2", "a3"]


def test_a_new_attempt_makes_its_output_anew() -> None:
    checkpoints = coordinator()
    checkpoints.trigger(100, [A], suspend=False)
    checkpoints.give_up(120)
    checkpoints.acknowledge(A, 4, part("of the old attempt"), 121)
    checkpoints.reset(200)
    checkpoints.trigger(300, [A], suspend=False)
    assert names(checkpoints.acknowledge(A, 5, part(), 310), A) == []


def test_the_interval_counts_from_trigger_to_trigger() -> None:
    checkpoints = coordinator()
    assert not checkpoints.is_due(99, 0)
    assert checkpoints.is_due(100, 0)
    checkpoints.trigger(130, [A], suspend=False)
    assert checkpoints.next_due_ms(0) == 130 + 600_000
    checkpoints.acknowledge(A, 4, part(), 190)
    assert checkpoints.next_due_ms(0) == 230


def test_a_slow_checkpoint_is_followed_at_once_unless_a_pause_is_asked_for() -> None:
    for pause, due in ((0, 500), (50, 550)):
        checkpoints = coordinator(min_pause_ms=pause)
        checkpoints.trigger(100, [A], suspend=False)
        checkpoints.acknowledge(A, 4, part(), 500)
        assert checkpoints.next_due_ms(0) == due


def test_without_an_interval_nothing_is_ever_due() -> None:
    checkpoints = coordinator(interval_ms=None)
    assert checkpoints.next_due_ms(0) is None
    assert not checkpoints.is_due(10**9, 0)

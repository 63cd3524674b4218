"""Protocol D's rounds over a simulated Kafka: what is done after every kind of failure, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.unit.kafka_broker import Broker, doubt
from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.delivery import Deliverer
from wiesel.connectors.kafka.errors import KafkaClientError
from wiesel.connectors.kafka.progress import Claim, Marker, Progress
from wiesel.connectors.kafka.wal import SegmentFile
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import CommitterContext
from wiesel.core.disk import OsDisk
from wiesel.core.errors import FencedError, ProgressLostError

LINEAGE = "store.1"


class Job:
    """One start of one store over a simulated Kafka."""

    def __init__(self, broker: Broker, path: Path, store: str = "store", start: int = 1, **changes: object) -> None:
        self.broker = broker
        self.durable_start = start
        self.claimed = False
        self.waits: list[float] = []
        self.at_once = False
        self._path = path
        fields: dict[str, object] = {
            "sink_uid": "sink",
            "sink_name": "Sink",
            "parallelism": 1,
            "max_started_parallelism": 1,
            "job_id": "job",
            "store": store,
            "start": start,
            "first_start_of_store": start == 1,
            "lineage": LINEAGE,
            "rewound": False,
            "read_start": lambda: self.durable_start,
            "mark_claimed": self._mark_claimed,
            "job_directory": path,
            "configuration": Configuration(),
            "stopping": lambda: self.at_once,
        }
        context = CommitterContext(**{**fields, **changes})  # type: ignore[arg-type]
        self.deliverer = Deliverer(context, broker, broker, OsDisk(), self.waits.append, lambda: 0.5)

    def _mark_claimed(self) -> None:
        self.claimed = True

    def settle(self, *pending: Segment, confirmed: int = 0, tids: Sequence[str] = ("t-0",)) -> None:
        done = {"t-0": {LINEAGE: confirmed}} if confirmed else {}
        self.deliverer.settle(tids, done, pending, {LINEAGE})

    def segment(self, seq: int, *values: str, tid: str = "t-0", lineage: str = LINEAGE) -> Segment:
        name = f"{tid}-{lineage}-{seq}.wal"
        file = SegmentFile(OsDisk(), self._path / name)
        file.append(("topic", -1, [(None, value.encode(), 1) for value in values]))
        return file.finish(tid, lineage, seq, seq, name)


StartJob = Callable[..., Job]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def job(broker: Broker, tmp_path: Path) -> Iterator[StartJob]:
    jobs: list[Job] = []

    def start(*arguments: object, **changes: object) -> Job:
        jobs.append(Job(broker, tmp_path, *arguments, **changes))  # type: ignore[arg-type]
        return jobs[-1]

    yield start
    for one in jobs:
        one.at_once = True
        one.deliverer.close()


def once(action: Callable[[], None]) -> Callable[[str], None]:
    """A hook that acts the first time only."""
    left = [action]

    def hook(_: str) -> None:
        if left:
            left.pop()()

    return hook


def fail() -> None:
    raise doubt("timed out")


def test_every_transactional_id_is_fenced_before_the_one_look_and_claimed_only_after_it(
    job: StartJob, broker: Broker
) -> None:
    one = job()
    events: list[str] = []
    look = broker.catch_up

    def note_look() -> Progress:
        events.append("look")
        return look()

    broker.before_fence = lambda tid: events.append(f"fence {tid}")
    broker.before_commit = lambda tid: events.append(f"claim {tid}")
    broker.catch_up = note_look  # type: ignore[method-assign]
    one.settle(tids=("t-0", "t-1"))
    assert sorted(events[:2]) == ["fence t-0", "fence t-1"]
    assert events[2] == "look"
    assert sorted(events[3:5]) == ["claim t-0", "claim t-1"]
    assert one.claimed


def test_a_claim_that_forbids_one_id_keeps_us_from_claiming_any(job: StartJob, broker: Broker) -> None:
    broker.progress.append(Claim("t-1", "other store", 7))
    restarted = job(start=2)
    with pytest.raises(FencedError, match="another job"):
        restarted.settle(tids=("t-0", "t-1"))
    assert broker.progress == [Claim("t-1", "other store", 7)]
    assert not restarted.claimed


def test_ids_that_another_directory_s_start_had_are_taken_over_with_the_first_claim(
    job: StartJob, broker: Broker
) -> None:
    """It may have had more subtasks, and its process may be alive: in this one's checkpoint they need not be."""
    broker.progress += [Claim(f"t-{number}", "other store", 1) for number in range(3)]
    broker.progress.append(Claim("t-x-7", "somebody", 1))
    moved = job()
    fences: list[str] = []
    broker.before_fence = fences.append
    is_ours = ["t-0", "t-1", "t-2"].__contains__
    moved.deliverer.settle(["t-0"], {}, [], {LINEAGE}, is_ours)
    assert set(fences) == {"t-0", "t-1", "t-2"}
    claims = [record for record in broker.progress if isinstance(record, Claim) and record.store != "other store"]
    assert {claim.tid for claim in claims if claim.store != "somebody"} == {"t-0", "t-1", "t-2"}
    job(start=2).deliverer.settle(
        ["t-0", "t-1"], {}, [], {LINEAGE}, is_ours
    )  # with more subtasks: nobody is in the way


def test_what_a_lineage_without_checkpoints_published_is_not_published_again_by_one_that_goes_on_from_it(
    job: StartJob, broker: Broker
) -> None:
    broker.progress.append(Marker("t-0", "earlier", 4, 9, 1, 0))
    chosen = job(rewound=True)
    chosen.deliverer.settle(["t-0"], {}, [], {LINEAGE, "earlier"})  # the user has left that lineage
    reshaped = job(start=2, rewound=True, continues=frozenset({"earlier"}))
    with pytest.raises(ProgressLostError, match="newer checkpoint has existed"):
        reshaped.deliverer.settle(["t-0"], {}, [], {LINEAGE, "earlier"})


def test_segments_are_published_in_order_each_with_its_marker(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    one.deliverer.deliver([one.segment(1, "a", "b"), one.segment(2, "c")])
    assert broker.output == ["a", "b", "c"]
    assert [record.seq for record in broker.progress if isinstance(record, Marker)] == [1, 2]
    assert one.deliverer.confirmed() == {"t-0": {LINEAGE: 2}}


def test_a_push_that_failed_before_its_commit_is_done_again_by_a_new_producer(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    broker.before_commit = once(fail)
    one.deliverer.deliver([one.segment(1, "a")])
    assert broker.output == ["a"]
    assert len(one.waits) == 1


def test_a_push_that_failed_after_its_commit_is_not_done_again(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    broker.after_commit = once(fail)
    one.deliverer.deliver([one.segment(1, "a"), one.segment(2, "b")])
    assert broker.output == ["a", "b"]


def test_a_fence_that_fails_is_tried_again(job: StartJob, broker: Broker) -> None:
    broker.before_fence = once(fail)
    one = job()
    one.settle(one.segment(1, "a"))
    assert broker.output == ["a"]


def test_one_id_in_doubt_does_not_hold_up_the_others(job: StartJob, broker: Broker) -> None:
    one = job(parallelism=2)
    one.settle(tids=("t-0", "t-1"))
    failed: list[str] = []

    def fail_first_push_of_t0(tid: str) -> None:
        if tid == "t-0" and not failed:
            failed.append(tid)
            raise doubt("timed out")

    broker.before_commit = fail_first_push_of_t0
    one.deliverer.deliver([one.segment(1, "a"), one.segment(1, "b", tid="t-1")])
    assert broker.output == ["b", "a"]


def test_waits_between_rounds_grow_and_are_random(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    left = [1, 2, 3]

    def fail_three_times(_: str) -> None:
        if left:
            left.pop()
            raise doubt("timed out")

    broker.before_commit = fail_three_times
    one.deliverer.deliver([one.segment(1, "a")])
    assert one.waits == sorted(set(one.waits))
    assert len(one.waits) == 3


def test_after_an_error_the_durable_start_decides_whether_we_are_a_zombie(job: StartJob, broker: Broker) -> None:
    zombie = job()
    zombie.settle()
    segment = zombie.segment(1, "phantom")

    def a_newer_start_takes_over() -> None:
        zombie.durable_start = 2
        broker.epochs["t-0"] += 1

    broker.before_commit = once(a_newer_start_takes_over)
    with pytest.raises(FencedError, match="start 2 runs"):
        zombie.deliverer.deliver([segment])
    assert broker.output == []


def test_a_start_that_was_fenced_by_a_zombie_fences_it_back(job: StartJob, broker: Broker) -> None:
    zombie = job()
    zombie.settle()
    current = job(start=2)
    current.settle()
    broker.before_commit = once(lambda: broker.epochs.update({"t-0": broker.epochs["t-0"] + 1}))
    current.deliverer.deliver([current.segment(1, "a")])
    assert broker.output == ["a"]


def test_the_next_producer_is_fenced_and_its_marker_read_ahead_of_the_next_push(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    one.deliverer.deliver([one.segment(1, "a")])
    one.deliverer._await_preparation()
    events: list[str] = []
    broker.before_fence = lambda tid: events.append("fence")
    broker.after_commit = lambda tid: events.append("commit")
    one.deliverer.deliver([one.segment(2, "b")])
    assert events[0] == "commit"
    assert broker.output == ["a", "b"]


def test_a_push_that_was_prepared_still_fails_when_somebody_pushed_in_between(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    one.deliverer.deliver([one.segment(1, "a")])
    one.deliverer._await_preparation()
    broker.epochs["t-0"] += 1  # a zombie has fenced us
    second = one.segment(2, "b")
    broker.progress.append(second.marker())  # and has pushed the very segment
    broker.output.append("b")
    one.deliverer.deliver([second])
    assert broker.output == ["a", "b"]


def test_a_refusal_that_waiting_does_not_mend_ends_the_job_after_a_few_attempts(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()

    def refuse(_: str) -> None:
        raise doubt("not authorised", permanent=True)

    broker.before_commit = refuse
    with pytest.raises(KafkaClientError, match="not authorised"):
        one.deliverer.deliver([one.segment(1, "a")])
    assert len(one.waits) == 2


def test_a_job_that_is_stopped_at_once_waits_for_nothing(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()

    def stop(_: str) -> None:
        one.at_once = True
        raise doubt("timed out")

    broker.before_commit = stop
    with pytest.raises(KafkaClientError):
        one.deliverer.deliver([one.segment(1, "a")])
    assert one.waits == []


def test_pending_segments_of_an_older_lineage_come_before_those_of_the_newer(job: StartJob, broker: Broker) -> None:
    one = job(lineage="store.2")
    old = [one.segment(4, "a"), one.segment(5, "b")]
    new = one.segment(1, "c", lineage="store.2")
    broker.progress += [old[0].marker(), old[1].marker()]  # all of the old ones are published
    one.deliverer.settle(("t-0",), {"t-0": {LINEAGE: 3}}, [*old, new], {LINEAGE, "store.2"})
    assert broker.output == ["c"]
    assert one.deliverer.confirmed() == {"t-0": {LINEAGE: 5, "store.2": 1}}


def test_a_segment_that_is_confirmed_already_is_not_looked_at_again(job: StartJob, broker: Broker) -> None:
    one = job()
    one.settle()
    first = one.segment(1, "a")
    one.deliverer.deliver([first])
    one.deliverer.deliver([first, one.segment(2, "b")])
    assert broker.output == ["a", "b"]


def test_ids_without_pending_segments_are_compared_with_the_checkpoint_too(job: StartJob, broker: Broker) -> None:
    broker.progress.append(Marker("t-0", LINEAGE, 3, 3, 1, 1))
    with pytest.raises(ProgressLostError, match="newer checkpoint has existed"):
        job().settle(confirmed=2)

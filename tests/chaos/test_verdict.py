"""The oracles can fail: each kind of harm, done to a good output by hand, is found and named."""

import itertools

import pytest

from tests.chaos.verdict import Kind, judge, judge_readers
from tests.chaos.workload import sums

Records = list[tuple[int, str]]
PLACE = ("out", 0)
FED = {"key-00": 5}


def records(*seqs: int) -> Records:
    totals = list(itertools.islice(sums("key-00"), 9))
    return [(offset, f"key-00,{seq},{seq},{totals[seq - 1]}") for offset, seq in enumerate(seqs)]


def kinds(seen: Records, *, complete: bool = True) -> set[Kind]:
    return {fault.kind for fault in judge({PLACE: seen}, ["out"], FED, complete=complete)}


def test_each_record_once_in_order_is_no_fault() -> None:
    assert kinds(records(1, 2, 3, 4, 5)) == set()


@pytest.mark.parametrize(
    ("seqs", "kind"),
    [
        ((1, 2, 4, 5), Kind.LOSS),
        ((1, 2, 3, 4), Kind.LOSS),
        ((1, 2, 3, 3, 4, 5), Kind.DUPLICATE),
        ((1, 2, 3, 4, 5, 1, 2), Kind.DUPLICATE),
        ((1, 3, 2, 4, 5), Kind.CORRUPT),
        ((1, 2, 3, 4, 5, 6), Kind.CORRUPT),
    ],
)
def test_harm_is_named(seqs: tuple[int, ...], kind: Kind) -> None:
    assert kinds(records(*seqs)) == {kind}


def test_a_count_that_state_lost_or_repeated_is_corrupt() -> None:
    seen = records(1, 2, 3, 4, 5)
    key, seq, count, total = seen[2][1].split(",")
    assert kinds([*seen[:2], (2, f"{key},{seq},{int(count) + 1},{total}"), *seen[3:]]) == {Kind.CORRUPT}
    assert kinds([*seen[:2], (2, f"{key},{seq},{count},{int(total) - 1}"), *seen[3:]]) == {Kind.CORRUPT}


def test_the_end_may_still_be_on_its_way_while_the_job_runs_but_no_gap() -> None:
    assert kinds(records(1, 2, 3), complete=False) == set()
    assert kinds(records(1, 3), complete=False) == {Kind.LOSS}


def test_readers_that_saw_different_things_are_a_fault() -> None:
    during, after = {PLACE: records(1, 2, 3)}, {PLACE: records(1, 2)}
    assert judge_readers(during, during) == []
    assert [fault.kind for fault in judge_readers(during, after)] == [Kind.CORRUPT]

"""The coordinator's rules that protocol D leans on."""

from __future__ import annotations

from .coordinator import Answer, Status, TransactionalId


def test_a_new_producer_aborts_and_fences_its_predecessor():
    old = TransactionalId().init_producer().produce("a")
    new = old.init_producer()
    assert (new.status, new.log) == (Status.EMPTY, ())
    assert not new.accepts_produce(old.epoch, first=True)
    assert new.end_txn(old.epoch) == (Answer.FENCED, new)


def test_a_timeout_aborts_and_fences_the_producer():
    late = TransactionalId().init_producer().produce("a")
    timed_out = late.time_out()
    assert timed_out.end_txn(late.epoch) == (Answer.FENCED, timed_out)
    assert timed_out.log == ()


def test_a_repeated_commit_is_answered_alike_and_changes_nothing():
    answer, committed = TransactionalId().init_producer().produce("a").end_txn(1)
    assert (answer, committed.log) == (Answer.OK, ("a",))
    assert committed.end_txn(1) == (Answer.OK, committed)


def test_a_delayed_commit_tears_the_next_transaction_of_the_same_producer():
    _, committed = TransactionalId().init_producer().produce("a").end_txn(1)
    answer, torn = committed.produce("b").end_txn(1)  # the first transaction's request, arriving late
    assert (answer, torn.log) == (Answer.OK, ("a", "b"))
    assert not torn.accepts_produce(1, first=False)


def test_a_commit_without_a_transaction_is_refused():
    fresh = TransactionalId().init_producer()
    assert fresh.end_txn(1) == (Answer.INVALID_STATE, fresh)

"""Why the sink is not built in one of the ways that are simpler or better known."""

from __future__ import annotations

import pytest

from .explorer import Kind, explore
from .rejected_designs import (
    CommitThenCheckpoint,
    EagerWal,
    KafkaDecides,
    ResumeTransaction,
    TwoPhaseCommitWithoutResume,
)
from .transactional_sink import Bounds, Design


def assert_violates(design: Design, kind: Kind) -> None:
    result = explore(design)
    assert result.violation is not None, f"{kind} expected; {result}"
    assert result.violation.kind is kind, str(result)


def assert_holds(design: Design, states: int | None = None) -> None:
    result = explore(design)
    assert result.holds, str(result)
    assert states is None or result.states == states


def test_two_phase_commit_without_resuming_the_transaction_loses_output():
    assert_violates(TwoPhaseCommitWithoutResume(Bounds(crashes=1)), Kind.LOSS)


def test_committing_before_the_checkpoint_publishes_twice():
    assert_violates(CommitThenCheckpoint(Bounds(crashes=1)), Kind.DUPLICATE)


def test_resuming_the_transaction_as_flink_does_holds_while_the_broker_waits():
    assert_holds(ResumeTransaction(Bounds(crashes=1, zombie=False)))


def test_resuming_the_transaction_as_flink_does_loses_output_after_a_broker_timeout():
    assert_violates(ResumeTransaction(Bounds(crashes=1, zombie=False, timeouts=1)), Kind.LOSS)


def test_letting_kafka_decide_holds_for_a_single_producer():
    assert_holds(KafkaDecides(Bounds(crashes=2, zombie=False)))


def test_letting_kafka_decide_publishes_twice_when_a_zombie_wakes():
    assert_violates(KafkaDecides(Bounds(crashes=2, delayed_end_txns=1, timeouts=1)), Kind.DUPLICATE)


def test_letting_kafka_decide_publishes_twice_with_two_producers():
    assert_violates(KafkaDecides(Bounds(checkpoints=2, sinks=2, crashes=1, zombie=False)), Kind.DUPLICATE)


def test_a_transaction_open_during_the_epoch_holds_when_the_log_is_there_for_recovery():
    assert_holds(EagerWal(Bounds(checkpoints=2, crashes=1, delayed_end_txns=1, timeouts=1, restarts=2)))


@pytest.mark.exhaustive
def test_every_state_of_the_eager_design_with_one_sink():
    assert_holds(EagerWal(Bounds(crashes=2, delayed_end_txns=1, timeouts=1, restarts=2)), 1_470_093)


@pytest.mark.exhaustive
def test_every_state_of_the_eager_design_with_two_sinks():
    assert_holds(EagerWal(Bounds(checkpoints=2, sinks=2, crashes=1, restarts=2)), 125_196)

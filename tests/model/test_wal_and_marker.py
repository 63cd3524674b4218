"""Protocol D holds, and each of rules 1 to 7 is necessary."""

from __future__ import annotations

import pytest

from .explorer import Kind, Result, explore
from .transactional_sink import Bounds
from .wal_and_marker import Rule, WalAndMarker


def search(bounds: Bounds, without: Rule | None = None) -> Result:
    return explore(WalAndMarker(bounds, without))


def assert_violates(result: Result, kind: Kind) -> None:
    assert result.violation is not None, f"{kind} expected; {result}"
    assert result.violation.kind is kind, str(result)


def test_a_crash_a_zombie_a_delayed_commit_and_a_broker_timeout_lose_and_repeat_nothing():
    bounds = Bounds(checkpoints=2, crashes=1, delayed_end_txns=1, timeouts=1)
    result = search(bounds)
    assert result.holds, str(result)


def test_two_crashes_and_a_zombie_lose_and_repeat_nothing():
    result = search(Bounds(checkpoints=2, crashes=2))
    assert result.holds, str(result)


def test_two_sinks_both_converge_after_a_crash():
    result = search(Bounds(checkpoints=2, sinks=2, crashes=1, zombie=False, restarts=1))
    assert result.holds, str(result)


def test_two_sinks_both_converge_after_a_broker_timeout():
    result = search(Bounds(checkpoints=2, sinks=2, crashes=0, zombie=False, timeouts=1, restarts=1))
    assert result.holds, str(result)


def test_a_rewind_repeats_its_range_and_loses_nothing():
    result = search(Bounds(crashes=1, zombie=False, delayed_end_txns=1, rewinds=1))
    assert result.holds, str(result)
    assert result.states == 3_090


def test_reading_the_marker_before_fencing_publishes_twice():
    result = search(Bounds(crashes=2), without=Rule.FENCE_BEFORE_READING_THE_MARKER)
    assert_violates(result, Kind.DUPLICATE)


def test_reading_the_marker_only_at_recovery_lets_a_woken_zombie_publish_twice():
    result = search(Bounds(crashes=2), without=Rule.READ_THE_MARKER_AFTER_EVERY_FENCE)
    assert_violates(result, Kind.DUPLICATE)
    assert any("zombie" in action for action in result.trace)


def test_a_producer_used_for_two_transactions_is_torn_by_a_delayed_commit():
    result = search(Bounds(crashes=0, delayed_end_txns=1), without=Rule.FRESH_PRODUCER_FOR_EVERY_TRANSACTION)
    assert_violates(result, Kind.DUPLICATE)
    assert any("delayed EndTxn" in action and "arrives" in action for action in result.trace)


def test_a_marker_hidden_behind_another_open_transaction_is_published_twice():
    result = search(Bounds(checkpoints=2, sinks=2, crashes=1), without=Rule.READ_PAST_THE_LAST_STABLE_OFFSET)
    assert_violates(result, Kind.DUPLICATE)


def test_comparing_bare_checkpoint_ids_loses_output_after_a_rewind():
    result = search(Bounds(crashes=0, rewinds=1), without=Rule.COMPARE_LINEAGE_AND_SEQ)
    assert_violates(result, Kind.LOSS)


def test_a_zombie_that_completes_checkpoints_publishes_what_was_never_decided():
    result = search(Bounds(crashes=1), without=Rule.ONE_JOB_MANAGER_COMPLETES_CHECKPOINTS)
    assert_violates(result, Kind.PHANTOM)


def test_falling_back_silently_to_an_older_checkpoint_leaves_undecided_output():
    result = search(Bounds(crashes=0, rewinds=1), without=Rule.NEVER_FALL_BACK_SILENTLY)
    assert_violates(result, Kind.PHANTOM)


@pytest.mark.exhaustive
def test_every_state_of_two_crashes_a_zombie_two_delayed_commits_and_a_timeout():
    result = search(Bounds(crashes=2, delayed_end_txns=2, timeouts=1))
    assert result.holds, str(result)
    assert result.states == 1_850_870


@pytest.mark.exhaustive
def test_every_state_of_two_sinks_with_a_crash_and_a_zombie():
    result = search(Bounds(checkpoints=2, sinks=2, crashes=1, restarts=2))
    assert result.holds, str(result)
    assert result.states == 219_522


@pytest.mark.exhaustive
def test_every_state_of_two_sinks_with_a_crash_a_delayed_commit_and_a_timeout():
    bounds = Bounds(checkpoints=2, sinks=2, crashes=1, zombie=False, delayed_end_txns=1, timeouts=1, restarts=1)
    result = search(bounds)
    assert result.holds, str(result)
    assert result.states == 77_768

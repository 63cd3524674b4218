"""Clauses 4c, 4d and 4f of protocol D, and its crash table, on the pure decisions. tests/model runs them in a world."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from wiesel.connectors.kafka.committer import (
    Claim,
    Decision,
    Delivery,
    Marker,
    Progress,
    ProgressRecord,
    Retry,
    Segment,
    Stop,
    StopReason,
    after_error,
    check_claim,
    decide,
)
from wiesel.core import exit_codes
from wiesel.core.errors import exit_code_of, is_retriable

TID, LINEAGE = "orders-sink-0", "lineage-1"


def segment(seq: int, *, crc: int | None = None, count: int = 10, lineage: str = LINEAGE, tid: str = TID) -> Segment:
    crc = 1000 + seq if crc is None else crc
    path = f"wal/{tid}/{lineage}/{seq}"
    return Segment(tid, lineage, seq, checkpoint_id=7, count=count, size=count * 100, crc=crc, path=path)


def progress(*records: ProgressRecord | None) -> Progress:
    observed = Progress()
    for record in records:
        observed.observe(record)
    return observed


def published(*seqs: int, lineage: str = LINEAGE) -> Progress:
    return progress(*(segment(seq, lineage=lineage).marker() for seq in seqs))


def asked(seen: Progress, pending: list[Segment], last_confirmed: int = 0, *, rewound: bool = False) -> Decision:
    return decide(seen, TID, LINEAGE, pending, last_confirmed, rewound)


def delivery(skip: list[int], push: list[int], confirmed: int) -> Delivery:
    return Delivery(tuple(segment(seq) for seq in skip), tuple(segment(seq) for seq in push), confirmed)


def assert_stops(verdict: object, reason: StopReason, *told: str) -> None:
    assert isinstance(verdict, Stop)
    assert verdict.reason is reason
    for words in told:
        assert words in verdict.message


# ---- 4c: the newest claim


def test_a_transactional_id_that_nobody_claimed_is_free():
    assert check_claim(progress(), TID, "store-a", 1, first_start_of_store=True) is None
    assert check_claim(progress(), TID, "store-a", 2, first_start_of_store=False) is None


def test_our_own_claim_lets_us_go_on():
    assert check_claim(progress(Claim(TID, "store-a", 3)), TID, "store-a", 3, first_start_of_store=False) is None


def test_a_lower_start_of_our_store_never_stops_us():
    assert check_claim(progress(Claim(TID, "store-a", 2)), TID, "store-a", 3, first_start_of_store=False) is None


@pytest.mark.parametrize("first", [False, True])
def test_a_higher_start_of_our_store_stops_us_because_we_are_the_zombie(first: bool):
    verdict = check_claim(progress(Claim(TID, "store-a", 4)), TID, "store-a", 3, first_start_of_store=first)
    assert_stops(verdict, StopReason.FENCED_BY_NEWER_START, TID, "start 3", "start 4")


def test_another_stores_claim_stops_us_and_names_both_stores_and_the_fix():
    verdict = check_claim(progress(Claim(TID, "store-b", 1)), TID, "store-a", 9, first_start_of_store=False)
    assert_stops(verdict, StopReason.FENCED_BY_OTHER_STORE, TID, "store-b", "store-a", "set_transactional_id_prefix")


def test_a_stores_first_start_takes_over_from_another_store():
    assert check_claim(progress(Claim(TID, "store-b", 9)), TID, "store-a", 1, first_start_of_store=True) is None


def test_start_numbers_of_another_store_are_not_compared():
    higher_start_than_theirs = check_claim(progress(Claim(TID, "store-b", 1)), TID, "store-a", 2, False)
    assert_stops(higher_start_than_theirs, StopReason.FENCED_BY_OTHER_STORE)


def test_only_the_newest_claim_counts():
    taken_and_taken_back = progress(Claim(TID, "store-b", 5), Claim(TID, "store-a", 2))
    assert check_claim(taken_and_taken_back, TID, "store-a", 2, first_start_of_store=False) is None
    taken = progress(Claim(TID, "store-a", 2), Claim(TID, "store-b", 1))
    assert_stops(check_claim(taken, TID, "store-a", 2, False), StopReason.FENCED_BY_OTHER_STORE)


def test_claims_of_other_transactional_ids_do_not_matter():
    other = progress(Claim("orders-sink-1", "store-b", 5))
    assert check_claim(other, TID, "store-a", 1, first_start_of_store=False) is None


# ---- 4d: the marker of our lineage


def test_nothing_pending_and_nothing_published_is_nothing_to_do():
    assert asked(progress(), []) == Delivery((), (), 0)


def test_an_absent_marker_counts_as_zero():
    assert asked(progress(), [segment(1), segment(2)]) == delivery([], [1, 2], 0)


def test_everything_up_to_the_marker_is_skipped_and_the_rest_is_pushed_in_order():
    pending = [segment(seq) for seq in (4, 5, 6, 7)]
    assert asked(published(5), pending, last_confirmed=3) == delivery([4, 5], [6, 7], 5)


def test_a_marker_at_the_last_confirmed_segment_pushes_all():
    assert asked(published(3), [segment(4), segment(5)], last_confirmed=3) == delivery([], [4, 5], 3)


def test_a_marker_at_the_last_pending_segment_skips_all():
    assert asked(published(5), [segment(4), segment(5)], last_confirmed=3) == delivery([4, 5], [], 5)


def test_a_transactional_id_without_pending_segments_is_checked_too():
    assert asked(published(3), [], last_confirmed=3) == Delivery((), (), 3)
    assert_stops(asked(published(2), [], last_confirmed=3), StopReason.PROGRESS_LOST)
    assert_stops(asked(published(4), [], last_confirmed=3), StopReason.MARKER_AHEAD)


def test_a_marker_below_the_last_confirmed_segment_means_that_progress_was_lost():
    verdict = asked(published(2), [segment(4)], last_confirmed=3)
    assert_stops(verdict, StopReason.PROGRESS_LOST, TID, "Segment 3", "ends at 2", "Restore the progress topic")


def test_a_missing_marker_after_a_confirmation_means_that_progress_was_lost():
    assert_stops(asked(progress(), [segment(4)], last_confirmed=3), StopReason.PROGRESS_LOST, "knows none")


def test_a_marker_above_every_listed_segment_means_that_a_newer_checkpoint_was_lost():
    verdict = asked(published(6), [segment(4), segment(5)], last_confirmed=3)
    assert_stops(verdict, StopReason.MARKER_AHEAD, TID, "Segment 6", "ends at 5", "wiesel run -s")


def test_a_marker_where_the_checkpoint_knows_nothing_means_that_a_newer_checkpoint_was_lost():
    assert_stops(asked(published(1), []), StopReason.MARKER_AHEAD, "knows none")


def test_a_rewound_lineages_marker_may_be_ahead_and_skips_what_is_pending():
    assert asked(published(6), [segment(4), segment(5)], last_confirmed=3, rewound=True) == delivery([4, 5], [], 6)


def test_a_rewind_does_not_excuse_lost_progress():
    assert_stops(asked(published(2), [segment(4)], last_confirmed=3, rewound=True), StopReason.PROGRESS_LOST)


def test_a_rewind_does_not_excuse_other_contents():
    seen = progress(segment(4, crc=1).marker())
    assert_stops(asked(seen, [segment(4, crc=2)], last_confirmed=3, rewound=True), StopReason.CONTENT_DIFFERS)


def test_another_checksum_at_the_marker_stops_and_names_the_file():
    seen = progress(segment(4, crc=0xABCD).marker())
    verdict = asked(seen, [segment(4, crc=0x1234), segment(5)], last_confirmed=3)
    assert_stops(verdict, StopReason.CONTENT_DIFFERS, TID, "0000abcd", "00001234", segment(4).path)


def test_another_count_at_the_marker_stops():
    seen = progress(segment(4, count=11).marker())
    assert_stops(asked(seen, [segment(4, count=10)], last_confirmed=3), StopReason.CONTENT_DIFFERS, "11 records")


def test_the_checkpoint_id_and_the_path_are_no_content():
    seen = progress(Marker(TID, LINEAGE, 4, checkpoint_id=99, count=10, crc=1004))
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery([4], [], 4)


def test_markers_of_another_lineage_are_not_ours():
    assert asked(published(9, lineage="lineage-0"), [segment(1)]) == delivery([], [1], 0)


def test_markers_of_another_transactional_id_are_not_ours():
    seen = progress(segment(9, tid="orders-sink-1").marker())
    assert asked(seen, [segment(1)]) == delivery([], [1], 0)


def test_only_the_newest_marker_counts():
    assert asked(published(1, 2, 3), [segment(3), segment(4)], last_confirmed=2) == delivery([3], [4], 3)


def test_a_gap_after_the_last_confirmed_segment_stops():
    verdict = asked(published(3), [segment(5)], last_confirmed=3)
    assert_stops(verdict, StopReason.SEGMENT_MISSING, TID, "segment 5", "segment 4")


def test_a_gap_between_pending_segments_stops_even_when_it_is_published():
    assert_stops(asked(published(6), [segment(4), segment(6)], last_confirmed=3), StopReason.SEGMENT_MISSING)


def test_segments_out_of_order_stop():
    assert_stops(asked(progress(), [segment(2), segment(1)]), StopReason.SEGMENT_MISSING)


@pytest.mark.parametrize("stranger", [segment(1, tid="orders-sink-1"), segment(1, lineage="lineage-0")])
def test_segments_of_somebody_else_are_a_mistake_of_the_caller(stranger: Segment):
    with pytest.raises(ValueError, match=r"orders-sink-1|lineage-0"):
        asked(progress(), [stranger])


# ---- 4f: after any error


def test_an_error_of_the_current_start_is_retried_with_a_new_producer():
    assert after_error(durable_start=3, own_start=3) == Retry()


def test_an_error_of_an_older_start_ends_it():
    assert_stops(after_error(durable_start=4, own_start=3), StopReason.FENCED_BY_NEWER_START, "start 3", "start 4")


def test_a_start_counter_that_went_back_ends_the_process():
    verdict = after_error(durable_start=2, own_start=3)
    assert_stops(verdict, StopReason.JOB_DIRECTORY_REPLACED, "from 3 back to 2")


# ---- the crash table: what the next start decides (s is segment 4; 3 was confirmed by the restored checkpoint)


def test_p1_p2_p3_without_the_checkpoint_nothing_is_pushed():
    assert asked(published(3), [], last_confirmed=3) == Delivery((), (), 3)


def test_p3_with_the_checkpoint_already_renamed_its_segment_is_pushed():
    assert asked(published(3), [segment(4)], last_confirmed=3) == delivery([], [4], 3)


def test_p4_a_crash_after_the_decision_is_pushed():
    assert asked(published(3), [segment(4)], last_confirmed=3) == delivery([], [4], 3)


def test_p5_an_aborted_transaction_left_no_marker_and_is_pushed_again():
    aborted = segment(4).marker()  # produced, never committed: a read_committed reader does not deliver it
    seen = published(3)
    assert seen.marker(TID, LINEAGE) != aborted
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery([], [4], 3)


@pytest.mark.parametrize(("committed", "skip", "push"), [(False, [], [4]), (True, [4], [])])
def test_p6_a_commit_in_flight_is_pushed_or_skipped_as_the_fence_resolved_it(committed, skip, push):
    seen = published(3, 4) if committed else published(3)
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery(skip, push, 4 if committed else 3)


def test_p7_a_commit_whose_answer_was_lost_is_skipped():
    assert asked(published(3, 4), [segment(4)], last_confirmed=3) == delivery([4], [], 4)


def test_p8_a_broker_timeout_is_retried_and_pushed():
    assert after_error(durable_start=3, own_start=3) == Retry()
    assert asked(published(3), [segment(4)], last_confirmed=3) == delivery([], [4], 3)


def test_p9_a_zombie_that_wakes_before_the_newer_claim_finds_the_marker_and_skips():
    seen = progress(Claim(TID, "store-a", 1), segment(3).marker(), segment(4).marker())
    assert check_claim(seen, TID, "store-a", 1, first_start_of_store=False) is None
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery([4], [], 4)


def test_p9_a_zombie_that_wakes_after_the_newer_claim_stops():
    seen = progress(Claim(TID, "store-a", 1), Claim(TID, "store-a", 2))
    verdict = check_claim(seen, TID, "store-a", 1, first_start_of_store=False)
    assert_stops(verdict, StopReason.FENCED_BY_NEWER_START)


def test_p10_a_confirmed_segment_whose_file_is_gone_is_not_asked_for():
    assert asked(published(4), [], last_confirmed=4) == Delivery((), (), 4)


def test_p11_recovery_is_repeatable():
    pending = [segment(4), segment(5)]
    first = asked(published(3), pending, last_confirmed=3)
    assert first == asked(published(3), pending, last_confirmed=3) == delivery([], [4, 5], 3)
    assert asked(published(3, 4), pending, last_confirmed=3) == delivery([4], [5], 4)  # crashed after one push


def test_p12_of_two_sinks_the_committed_one_skips_and_the_other_pushes():
    other = "audit-sink-0"
    seen = progress(segment(4).marker(), segment(3, tid=other).marker())
    pending = [segment(4, tid=other)]
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery([4], [], 4)
    assert decide(seen, other, LINEAGE, pending, 3, rewound=False) == Delivery((), tuple(pending), 3)


def test_p13_after_rescaling_old_segments_keep_their_lineage_and_new_ones_begin_at_one():
    seen = published(3)
    assert asked(seen, [segment(4)], last_confirmed=3) == delivery([], [4], 3)
    first_of_new = segment(1, lineage="lineage-2")
    verdict = decide(seen, TID, "lineage-2", [first_of_new], 0, rewound=False)
    assert verdict == Delivery((), (first_of_new,), 0)


def test_p13_after_a_rewind_the_new_lineage_repeats_its_range_under_its_own_seqs():
    seen = published(3, 4, 5)
    assert asked(seen, [segment(4)], last_confirmed=3, rewound=True) == delivery([4], [], 5)
    repeated = [segment(1, lineage="lineage-2"), segment(2, lineage="lineage-2")]
    assert decide(seen, TID, "lineage-2", repeated, 0, rewound=False) == Delivery((), tuple(repeated), 0)


# ---- the room's rules


def test_a_segments_marker_tells_its_identity_and_content():
    assert segment(4).marker() == Marker(TID, LINEAGE, 4, checkpoint_id=7, count=10, crc=1004)


def test_a_segment_survives_the_checkpoints_json():
    written = replace(segment(4), topics=("alerts", "orders"))
    assert Segment.from_json(json.loads(json.dumps(written.to_json()))) == written


def test_every_stop_reason_is_given_by_some_decision():
    stops = [
        check_claim(progress(Claim(TID, "store-a", 4)), TID, "store-a", 3, False),
        check_claim(progress(Claim(TID, "store-b", 4)), TID, "store-a", 3, False),
        asked(progress(), [], last_confirmed=1),
        asked(published(1), []),
        asked(progress(segment(1, crc=1).marker()), [segment(1, crc=2)]),
        asked(progress(), [segment(2)]),
        after_error(durable_start=1, own_start=2),
    ]
    assert {stop.reason for stop in stops if isinstance(stop, Stop)} == set(StopReason)


@pytest.mark.parametrize("reason", StopReason)
def test_every_stop_becomes_an_error_that_is_never_retried_and_has_an_exit_code_of_its_own(reason: StopReason):
    error = Stop(reason, "what to do").error()
    assert str(error) == "what to do"
    assert not is_retriable(error)
    fenced = reason in (StopReason.FENCED_BY_NEWER_START, StopReason.FENCED_BY_OTHER_STORE)
    assert exit_code_of(error) == (exit_codes.OWNED_BY_ANOTHER if fenced else exit_codes.STATE)


def test_deciding_needs_no_kafka_client():
    code = (
        "import sys, wiesel.connectors.kafka.committer; "
        "sys.exit(any(name.split('.')[0] in ('confluent_kafka', 'msgspec', 'cloudpickle') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

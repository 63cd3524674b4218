"""Rule 8 holds with the shipped decisions, and each of its parts is necessary.

The small scenarios run always; the ones marked `exhaustive` are the whole of what was searched when the protocol was
designed, and their numbers of states are those of the decision record.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from wiesel.connectors.kafka import committer

from . import decisions
from .claims_and_lineages import ClaimsAndLineages, Scenario
from .explorer import Kind, Result, explore
from .job_world import LOSE_NEWEST_CHECKPOINT, REWIND, rescale_to

ZOMBIE = Scenario(zombie=True)
LOST_CHECKPOINT = Scenario(operations=(LOSE_NEWEST_CHECKPOINT,), may_stop=True)
LOST_CHECKPOINT_AND_ZOMBIE = replace(LOST_CHECKPOINT, zombie=True)
TWO_STORES = Scenario(stores=2, records=2, max_open_epochs=1, records_per_epoch=(1,))
REWOUND = Scenario(operations=(REWIND,))
REWOUND_WITH_ZOMBIE = replace(REWOUND, zombie=True, records_per_epoch=(1,))
REWOUND_THEN_LOST = Scenario(operations=(REWIND, LOSE_NEWEST_CHECKPOINT), may_stop=True)
REWOUND_TWICE = Scenario(operations=(REWIND, REWIND))
REWOUND_THEN_RESCALED = Scenario(tids=2, operations=(REWIND, rescale_to(2)))
RESCALED_THEN_REWOUND = Scenario(tids=2, operations=(rescale_to(2), REWIND))
RESCALED = Scenario(tids=2, parallelism=2, operations=(rescale_to(1), rescale_to(2)), crashes=1)
ABORTED = Scenario(aborted_checkpoints=3, crashes=1)


def search(scenario: Scenario, only: Kind | None = None) -> Result:
    return explore(ClaimsAndLineages(scenario), only=only)


def assert_holds(scenario: Scenario, states: int | None = None) -> None:
    result = search(scenario)
    assert result.holds, str(result)
    assert states is None or result.states == states


def assert_violates(scenario: Scenario, kind: Kind, *, among_others: bool = False) -> Result:
    result = search(scenario, only=kind if among_others else None)
    assert result.violation is not None, f"{kind} expected; {result}"
    assert result.violation.kind is kind, str(result)
    return result


# ---- crashes and a zombie


def test_two_crashes_and_a_zombie_end_well():
    assert_holds(replace(ZOMBIE, records=2))


def test_a_zombie_that_asks_its_own_job_master_fences_for_ever():
    result = assert_violates(replace(ZOMBIE, records=2, decisions=decisions.AsksOwnJobMaster()), Kind.LIVELOCK)
    assert any("zombie" in action for action in result.trace)


def test_a_zombie_that_asks_its_own_job_master_fences_for_ever_with_first_written_claims_too():
    scenario = replace(ZOMBIE, records=2, decisions=decisions.AsksOwnJobMasterWithFirstClaims())
    assert_violates(scenario, Kind.LIVELOCK)


def test_stopping_for_any_foreign_claim_lets_a_zombie_stop_the_job():
    assert_violates(replace(ZOMBIE, decisions=decisions.NewestClaimMustBeOurs()), Kind.ILLEGITIMATE_STOP)


def test_deciding_each_segment_by_itself_stops_a_job_with_two_pending_segments():
    scenario = replace(ZOMBIE, records=2, decisions=decisions.MarkerMustBeNextToSegment())
    assert_violates(scenario, Kind.ILLEGITIMATE_STOP)


@pytest.mark.parametrize("variant", [decisions.ClaimsOfLineageAndAttempt, decisions.NoClaims])
def test_within_one_lineage_of_one_store_claims_are_not_needed(variant: type[decisions.ShippedDecisions]):
    assert_holds(replace(ZOMBIE, records=2, decisions=variant()))


# ---- the newest checkpoint is lost


def test_a_lost_newest_checkpoint_stops_the_job_or_harms_nothing():
    assert_holds(LOST_CHECKPOINT)


def test_a_lost_newest_checkpoint_and_a_zombie_stop_the_job_or_harm_nothing():
    assert_holds(replace(LOST_CHECKPOINT_AND_ZOMBIE, records=2))


def test_skipping_whatever_is_below_the_marker_publishes_twice_after_a_lost_checkpoint():
    scenario = replace(LOST_CHECKPOINT, decisions=decisions.SkipsWhateverIsBelowTheMarker())
    assert_violates(scenario, Kind.DUPLICATE, among_others=True)


def test_skipping_whatever_is_below_the_marker_loses_output_after_a_lost_checkpoint():
    scenario = replace(LOST_CHECKPOINT, decisions=decisions.SkipsWhateverIsBelowTheMarker())
    assert_violates(scenario, Kind.LOSS, among_others=True)


# ---- two jobs with one prefix


def test_two_supervised_jobs_with_one_prefix_never_alternate_and_never_both_stop():
    assert_holds(replace(TWO_STORES, crashes=1))


@pytest.mark.parametrize(
    "variant", [decisions.NoClaims, decisions.ClaimsOfLineageAndAttempt, decisions.TakesOverAtEveryStart]
)
def test_without_claims_of_store_and_start_two_jobs_with_one_prefix_alternate(
    variant: type[decisions.ShippedDecisions],
):
    assert_violates(replace(TWO_STORES, crashes=1, decisions=variant()), Kind.ALTERNATING)


# ---- rewinds


def test_a_rewind_survives_a_crash_and_a_resume():
    assert_holds(REWOUND, 15_556)


def test_a_rewind_with_a_zombie_of_the_old_lineage_ends_well():
    assert_holds(replace(REWOUND_WITH_ZOMBIE, records=2))


def test_a_rewind_and_then_a_lost_checkpoint_stop_the_job_or_harm_nothing():
    assert_holds(REWOUND_THEN_LOST, 21_097)


def test_without_a_durable_lineage_record_a_crash_undoes_the_rewind():
    assert_violates(replace(REWOUND, durable_lineages=False), Kind.UNDO)


def test_claims_of_lineage_and_attempt_let_a_zombie_stop_the_rewound_job():
    scenario = replace(REWOUND_WITH_ZOMBIE, decisions=decisions.ClaimsOfLineageAndAttempt())
    assert_violates(scenario, Kind.ILLEGITIMATE_STOP)


@pytest.mark.parametrize(
    "variant", [decisions.ClaimsOfLineageAndAttempt, decisions.ClaimsWithoutLooking, decisions.NoClaims]
)
def test_without_looking_before_claiming_a_zombie_publishes_output_of_the_abandoned_lineage(
    variant: type[decisions.ShippedDecisions],
):
    scenario = replace(REWOUND_WITH_ZOMBIE, decisions=variant())
    assert_violates(scenario, Kind.LATE, among_others=True)


def test_a_resume_that_does_not_inherit_the_rewind_stops_for_the_old_lineages_marker():
    assert_violates(replace(REWOUND, rewind_is_inherited=False), Kind.ILLEGITIMATE_STOP)


def test_a_rewind_of_a_rewind_ends_well_with_a_zombie_too():
    assert_holds(replace(REWOUND_TWICE, records=2, zombie=True))


# ---- rescaling


def test_rescaling_with_a_zombie_of_the_old_parallelism_ends_well():
    assert_holds(Scenario(tids=2, operations=(rescale_to(2),), records=2, zombie=True, crashes=1))


def test_rescaling_a_rewound_job_before_its_first_checkpoint_ends_well():
    assert_holds(replace(REWOUND_THEN_RESCALED, records=2))


def test_rescaling_from_the_newest_checkpoint_on_disk_undoes_a_rewind():
    assert_violates(replace(REWOUND_THEN_RESCALED, records=2, rescale_follows_lineage=False), Kind.UNDO)


def test_a_rescaling_that_does_not_inherit_the_rewind_stops_for_the_old_lineages_marker():
    scenario = replace(REWOUND_THEN_RESCALED, records=2, rescale_inherits_rewind=False)
    assert_violates(scenario, Kind.ILLEGITIMATE_STOP)


def test_a_rewind_of_a_rescaled_job_ends_well():
    assert_holds(replace(RESCALED_THEN_REWOUND, records=2, records_per_epoch=(1,)))


def test_rescaling_down_and_up_with_pending_segments_ends_well():
    assert_holds(RESCALED, 46_223)


def test_rescaling_within_a_lineage_forgets_seqs_and_stops_the_job():
    assert_violates(replace(RESCALED, rescale_begins_lineage=False), Kind.ILLEGITIMATE_STOP)


def test_rescaling_within_a_lineage_loses_output_when_markers_above_are_trusted():
    variant = decisions.SkipsWhateverIsBelowTheMarker()
    assert_violates(replace(RESCALED, rescale_begins_lineage=False, decisions=variant), Kind.LOSS)


# ---- aborted checkpoints


def test_aborted_checkpoints_delay_output_and_lose_none():
    assert_holds(ABORTED, 6_000)


def test_aborted_checkpoints_and_a_zombie_end_well():
    assert_holds(replace(ABORTED, zombie=True, records=2))


def test_a_cap_that_counts_aborted_epochs_blocks_the_job_for_good():
    assert_violates(replace(ABORTED, cap_counts_aborted=True), Kind.WEDGE)


def test_dropping_the_segments_of_an_aborted_epoch_loses_output():
    assert_violates(replace(ABORTED, aborted_segments_join_next=False), Kind.LOSS)


# ---- the model runs the code that ships: break the code, and the model fails


def test_a_shipped_claim_check_that_lets_everybody_pass_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(committer, "check_claim", lambda *_: None)
    assert_violates(replace(TWO_STORES, crashes=1), Kind.ALTERNATING)


def test_a_shipped_decision_that_pushes_everything_is_found(monkeypatch: pytest.MonkeyPatch):
    def push_all(_progress, _tid, _lineage, pending, last_confirmed, _rewound):
        return committer.Delivery(skip=(), push=tuple(pending), confirmed=last_confirmed)

    monkeypatch.setattr(committer, "decide", push_all)
    assert_violates(replace(ZOMBIE, records=2), Kind.DUPLICATE)


def test_a_shipped_error_handling_that_always_retries_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(committer, "after_error", lambda *_: committer.Retry())
    assert_violates(replace(ZOMBIE, records=2), Kind.LIVELOCK)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("scenario", "states"),
    [
        pytest.param(ZOMBIE, 48_315, id="two crashes and a zombie"),
        pytest.param(LOST_CHECKPOINT_AND_ZOMBIE, 170_870, id="lost checkpoint and a zombie"),
        pytest.param(TWO_STORES, 89_484, id="two stores, one prefix"),
        pytest.param(REWOUND_WITH_ZOMBIE, 132_803, id="rewind with a zombie"),
        pytest.param(replace(REWOUND_TWICE, crashes=3), 366_432, id="two rewinds"),
        pytest.param(REWOUND_THEN_RESCALED, 65_356, id="rewind, then rescale"),
        pytest.param(RESCALED_THEN_REWOUND, 293_295, id="rescale, then rewind"),
        pytest.param(replace(RESCALED, zombie=True), 971_586, id="rescale twice with a zombie"),
        pytest.param(replace(ABORTED, zombie=True), 57_418, id="aborted checkpoints with a zombie"),
    ],
)
def test_every_state_of_the_whole_scenario(scenario: Scenario, states: int):
    assert_holds(scenario, states)

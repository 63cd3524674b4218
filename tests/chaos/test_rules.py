"""Each rule is necessary: the same story ends well with it, and the oracles find the harm without it."""

from pathlib import Path

import pytest

from tests.chaos import scenarios
from tests.chaos.broker import Broker
from tests.chaos.history import History
from tests.chaos.scenarios import Scenario
from tests.chaos.verdict import Kind

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

LOSS, DUPLICATE = Kind.LOSS, Kind.DUPLICATE
STORIES = [
    pytest.param(scenarios.moved_to_another_directory, "rule5", LOSS, id="rule5"),
    pytest.param(scenarios.newest_checkpoint_lost_between_two_rescalings, "rule7", DUPLICATE, id="rule7"),
    pytest.param(scenarios.job_directory_restored_from_a_backup, "rule8", LOSS, id="rule8-stops"),
    pytest.param(scenarios.zombie_of_a_moved_job, "rule8", DUPLICATE, id="rule8-claims"),
    pytest.param(scenarios.killed_after_a_decision, "walsync", LOSS, id="walsync"),
]


@pytest.mark.parametrize(("scenario", "rule", "harm"), STORIES)
def test_nothing_is_wrong_with_the_rule(
    broker: Broker, tmp_path: Path, scenario: Scenario, rule: str, harm: Kind
) -> None:
    with History(broker, tmp_path) as history:
        assert scenario(history, "") == []


def test_a_job_may_be_moved_with_output_that_is_still_to_be_delivered(broker: Broker, tmp_path: Path) -> None:
    with History(broker, tmp_path) as history:
        assert scenarios.moved_with_output_still_to_deliver(history, "") == []


@pytest.mark.parametrize(("scenario", "rule", "harm"), STORIES)
def test_the_oracles_find_the_harm_without_the_rule(
    broker: Broker, tmp_path: Path, scenario: Scenario, rule: str, harm: Kind
) -> None:
    with History(broker, tmp_path) as history:
        assert harm in {fault.kind for fault in scenario(history, rule)}

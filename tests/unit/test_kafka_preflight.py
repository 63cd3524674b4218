"""What a preflight can tell without a broker: how long a job may be away, and whether a broker is too old."""

from __future__ import annotations

import logging

import pytest

from wiesel.connectors.kafka.inspection import ApiVersions
from wiesel.connectors.kafka.preflight import downtime_ms
from wiesel.core.configuration import Configuration

CHECKPOINTS = {"execution.checkpointing.interval": "10 s", "execution.checkpointing.timeout": "1 min"}


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 130),  # exponential-delay is what a job with checkpoints has, up to a minute
        ({"restart-strategy.type": "none"}, 70),
        (
            {
                "restart-strategy.type": "fixed-delay",
                "restart-strategy.fixed-delay.attempts": "3",
                "restart-strategy.fixed-delay.delay": "10 s",
            },
            100,
        ),
        (
            {
                "restart-strategy.type": "failure-rate",
                "restart-strategy.failure-rate.max-failures-per-interval": "5",
                "restart-strategy.failure-rate.delay": "2 s",
            },
            80,
        ),
    ],
)
def test_a_job_may_be_away_for_an_interval_a_checkpoint_and_its_restarts(
    settings: dict[str, str], seconds: int
) -> None:
    configuration = Configuration()
    for key, value in {**CHECKPOINTS, **settings}.items():
        configuration.set_string(key, value)
    assert downtime_ms(configuration) == seconds * 1000


def test_a_job_without_checkpoints_has_no_place_to_come_back_to() -> None:
    assert downtime_ms(Configuration()) == 0


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("APIVERSION [x] [thrd:y]: host:1/1:   ApiKey AddPartitionsToTxn (24) Versions 0..3", False),
        ("APIVERSION [x] [thrd:y]: host:1/1:   ApiKey AddPartitionsToTxn (24) Versions 0..4", True),
        ("APIVERSION [x] [thrd:y]: host:1/1:   ApiKey Produce (0) Versions 0..9", None),
        ("something else altogether", None),
    ],
)
def test_kafka_3_6_is_known_by_the_transactions_that_it_verifies(line: str, verdict: bool | None) -> None:
    versions = ApiVersions()
    versions.handle(logging.makeLogRecord({"msg": line}))
    assert versions.verifies_transactions() is verdict

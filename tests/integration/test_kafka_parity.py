"""The parity programs that want Kafka do on Wiesel what PyFlink was recorded to do (the others: tests/parity)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.catalog import Program, programs
from tests.parity.in_process import assert_as_recorded, outcome_of
from tests.parity.live import create_topics
from wiesel.broker.local import LocalBroker

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("program", [p for p in programs() if p.needs_kafka], ids=lambda program: program.name)
def test_program_does_what_pyflink_did(
    program: Program, kafka: LocalBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(kafka.bootstrap_servers, [program], "parity")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    assert_as_recorded(program, outcome_of(program, tmp_path))

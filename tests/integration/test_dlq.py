"""``wiesel dlq`` on a real broker."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from tests.integration.kafka_store import await_markers
from tests.integration.test_kafka_records import headers_of, messages
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.cli.dlq import dlq
from wiesel.connectors.kafka.bad_records import dead_letter
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext

pytestmark = pytest.mark.integration

Headers = list[tuple[str, bytes | None]]
BAD: list[tuple[bytes | None, bytes | None, Headers]] = [
    (b"k1", b"\xff", [("tenant", b"a"), ("tenant", b"b"), ("null", None)]),
    (None, None, []),
    (b"k3", b"{", [("tenant", b"c")]),
]
TIMESTAMP = 1_600_000_000_123


def letters(kafka: LocalBroker, topic: TopicFactory) -> tuple[str, str]:
    """A topic with records, and one with their dead letters, made as a source makes them."""
    read, dead = topic("orders"), topic("dead")
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    headers: Any
    for key, value, headers in BAD:
        producer.produce(read, value, key, 0, None, None, TIMESTAMP, headers)
    assert producer.flush(60) == 0
    context = SourceContext("uid", "Source: orders", 0, 1, Configuration(), lambda: None)
    for message in messages(kafka, read):
        letter = dead_letter(dead, message, ValueError(f"bad {message.offset()}"), context)
        own: Any = list(letter.headers)
        producer.produce(letter.topic, letter.value, letter.key, -1, None, None, 0, own)
    assert producer.flush(60) == 0
    return read, dead


def run(kafka: LocalBroker, *arguments: str) -> Result:
    return CliRunner().invoke(dlq, [*arguments, "--bootstrap-server", kafka.bootstrap_servers], standalone_mode=False)


def shown(result: Result) -> list[dict[str, object]]:
    assert result.return_value == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def replayed(kafka: LocalBroker, topic: str, skip: int = 0) -> Sequence[tuple[bytes | None, bytes | None, Headers]]:
    found = messages(kafka, topic)[skip:]
    assert {message.timestamp()[1] for message in found} <= {TIMESTAMP}
    return [(m.key(), m.value(), headers_of(m)) for m in found]


def test_letters_are_shown_with_place_error_and_whether_they_were_replayed(
    kafka: LocalBroker, topic: TopicFactory
) -> None:
    read, dead = letters(kafka, topic)
    rows = shown(run(kafka, "show", dead))
    assert [(row["topic"], row["partition"], row["offset"], row["error"], row["replayed"]) for row in rows] == [
        (read, 0, i, f"ValueError: bad {i}", "no") for i in range(3)
    ]
    assert rows[0]["value_base64"] == "/w=="
    assert rows[0]["timestamp"] == TIMESTAMP
    assert run(kafka, "replay", dead, "--filter", "offset=1").return_value == 0
    await_markers(kafka.bootstrap_servers, dead)
    assert [row["replayed"] for row in shown(run(kafka, "show", dead))] == ["no", "yes", "no"]
    assert [row["offset"] for row in shown(run(kafka, "show", dead, "--filter", "error=bad 2"))] == [2]
    assert [row["offset"] for row in shown(run(kafka, "show", dead, "--filter", "header.tenant=b"))] == [0]


def test_a_letter_goes_back_as_the_record_it_was_and_only_once(kafka: LocalBroker, topic: TopicFactory) -> None:
    read, dead = letters(kafka, topic)
    first = run(kafka, "replay", dead, "--filter", "key=k3")
    assert "1 replayed, 0 had been before, 2 not meant" in first.stderr
    assert "2 replayed, 1 had been before, 0 not meant" in run(kafka, "replay", dead).stderr
    assert "0 replayed, 3 had been before" in run(kafka, "replay", dead).stderr
    origin: dict[int, Headers] = {
        offset: [("__wiesel.dlq.replayed-from", f"{dead}/0/{offset}".encode())] for offset in range(3)
    }
    assert replayed(kafka, read, skip=3) == [
        (key, value, headers + origin[offset]) for offset, (key, value, headers) in ((i, BAD[i]) for i in (2, 0, 1))
    ]


def test_letters_may_go_elsewhere_and_again(kafka: LocalBroker, topic: TopicFactory) -> None:
    _, dead = letters(kafka, topic)
    other = topic("repaired")
    assert run(kafka, "replay", dead, "--to", other).return_value == 0
    assert "3 replayed" in run(kafka, "replay", dead, "--to", other, "--again").stderr
    assert [value for _, value, _ in replayed(kafka, other)] == [b"\xff", None, b"{"] * 2


def test_a_replay_without_a_target_or_with_a_wrong_filter_says_what_to_give(
    kafka: LocalBroker, topic: TopicFactory
) -> None:
    strange = topic("strange")
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(strange, b"a letter of somebody else's")
    assert producer.flush(60) == 0
    assert "--to TOPIC" in run(kafka, "replay", strange).stderr
    assert "Filters are topic=" in run(kafka, "replay", strange, "--filter", "colour=red").stderr
    missing = run(kafka, "replay", strange, "--to", "no-such-topic")
    assert "'no-such-topic' does not exist" in missing.stderr
    assert missing.return_value == 3

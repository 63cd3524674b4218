"""`wiesel kafka topics|groups|produce|consume` as a person or a script uses them, on a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer

from tests.integration.job_process import wait_until
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.cli.kafka import kafka as command

pytestmark = pytest.mark.integration


class Tool:
    """The commands, in this process, against one broker; output is piped."""

    def __init__(self, kafka: LocalBroker) -> None:
        self.servers = kafka.bootstrap_servers

    def run(self, *arguments: str, stdin: str | bytes = "", code: int | None = 0) -> Result:
        result = CliRunner().invoke(
            command, [*arguments, "--bootstrap", self.servers], input=stdin, standalone_mode=False
        )
        if isinstance(result.exception, Exception):
            raise result.exception
        assert code is None or (result.return_value or 0) == code, result.output
        return result

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*arguments).stdout.splitlines()]

    def consume(self, topic: str, *arguments: str) -> list[dict[str, Any]]:
        return self.rows("consume", topic, "--from-beginning", "--to-end", *arguments)


@pytest.fixture
def tool(kafka: LocalBroker) -> Tool:
    return Tool(kafka)


def test_a_topic_is_created_listed_altered_described_and_deleted(tool: Tool) -> None:
    tool.run("topics", "create", "life", "-p", "2", "-c", "retention.ms=1000")
    assert {"topic": "life", "partitions": 2, "replicas": 1} in tool.rows("topics")
    assert "life" in tool.run("topics", "list", "--names").stdout.splitlines()
    tool.run("topics", "alter", "life", "-p", "3", "-c", "cleanup.policy=compact", "--default", "retention.ms")

    # The broker hears of it from its controller, and may answer before.
    def is_altered() -> bool:
        *partitions, last = tool.rows("topics", "describe", "life")
        numbers = [one["partition"] for one in partitions]
        return (numbers, last) == ([0, 1, 2], {"topic": "life", "properties": {"cleanup.policy": "compact"}})

    wait_until(is_altered)
    tool.run("topics", "delete", "life")
    wait_until(lambda: "life" not in tool.run("topics", "list", "--names").stdout.splitlines())


def test_altering_a_topic_that_is_not_there_says_so(tool: Tool) -> None:
    assert "no topic 'nowhere'" in tool.run("topics", "alter", "nowhere", "-c", "retention.ms=1", code=3).stderr


def test_keys_headers_and_formats_come_out_as_they_went_in(tool: Tool, topic: TopicFactory) -> None:
    name = topic()
    tool.run("produce", name, "--key-separator", ":", "-H", "source=test", stdin="berlin:3\n")
    tool.run("produce", name, "--value-format", "hex", stdin="caff\n")
    tool.run("produce", name, "--value-format", "json", stdin='{"n": 1}\n')
    first, second, third = tool.consume(name)
    assert (first["key"], first["value"], first["headers"]) == ("berlin", "3", [{"name": "source", "value": "test"}])
    assert second["value_base64"] == "yv8="
    assert third["value"] == '{"n": 1}'
    assert tool.consume(name, "--value-format", "json")[2]["value"] == {"n": 1}
    assert tool.consume(name, "--value-format", "hex", "--partition", "0", "--offset", "1")[0]["value"] == "caff"


def test_what_consume_writes_produce_can_write_again(tool: Tool, topic: TopicFactory) -> None:
    original, copy = topic(), topic()
    tool.run(
        "produce", original, "--format", "json", stdin=b'{"key": "a", "value": null, "timestamp": 1700000000000}\n'
    )
    tool.run("produce", original, "--key-separator", "=", "-H", "h=1", stdin=b"\xff=\xfe\n")
    lines = tool.run("consume", original, "--from-beginning", "--to-end").stdout
    tool.run("produce", copy, "--format", "json", stdin=lines)
    assert [{**one, "topic": original} for one in tool.consume(copy)] == tool.consume(original)


def test_a_line_that_is_not_of_its_format_is_named(tool: Tool, topic: TopicFactory) -> None:
    name = topic()
    failed = tool.run("produce", name, "--value-format", "json", stdin="1\nnot json\n3\n", code=1)
    assert failed.stderr.startswith("error: line 2: 'not json' is not json")
    assert [one["value"] for one in tool.consume(name)] == ["1"]


def test_a_rate_spaces_the_records(tool: Tool, topic: TopicFactory) -> None:
    name = topic()
    began = time.time() * 1000
    tool.run("produce", name, "--rate", "20", stdin="x\n" * 20)
    assert time.time() * 1000 - began >= 1000
    # The first may be late, but none comes before its turn.
    stamps = [one["timestamp"] for one in tool.consume(name)]
    assert [stamp for number, stamp in enumerate(stamps) if stamp < began + 50 * number - 1] == []


ASSIGNORS = ("range", "roundrobin", "cooperative-sticky")


@pytest.mark.parametrize("assignor", ASSIGNORS)
def test_a_group_goes_on_where_it_stopped(tool: Tool, topic: TopicFactory, assignor: str) -> None:
    name = topic(partitions=2)
    group = f"group-{name}"
    tool.run("produce", name, "--partition", "1", stdin="a\nb\nc\n")
    taking = ("consume", name, "--from-beginning", "--group", group, "--assignor", assignor)
    assert [one["value"] for one in tool.rows(*taking, "--max", "3")] == ["a", "b", "c"]
    tool.run("produce", name, "--partition", "1", stdin="d\n")
    assert [one["value"] for one in tool.rows(*taking, "--to-end")] == ["d"]


@pytest.mark.parametrize("assignor", ASSIGNORS)
def test_members_of_a_group_share_the_partitions_by_its_assignor(
    tool: Tool, topic: TopicFactory, assignor: str
) -> None:
    name = topic(partitions=3)
    group = f"group-{name}"
    wiesel = [sys.executable, "-m", "wiesel.cli.main", "kafka", "consume", name, "--bootstrap", tool.servers]
    members = [
        subprocess.Popen([*wiesel, "--group", group, "--assignor", assignor], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        deadline = time.monotonic() + 90
        described: list[str] = []
        while True:
            assert time.monotonic() < deadline, described
            described = tool.run("groups", "describe", group, code=None).stdout.splitlines()
            *_, last = [json.loads(line) for line in described] or [{"members": []}]
            shares = [member["partitions"] for member in last["members"]]
            if sorted(map(len, shares)) == [1, 2] and last["state"] == "Stable":
                break
            time.sleep(0.1)
        assert sorted(place for share in shares for place in share) == [f"{name}-{number}" for number in range(3)]
        assert (last["state"], last["assignor"]) == ("Stable", assignor)
    finally:
        for member in members:
            member.kill()
            member.wait()


def test_a_group_is_listed_described_reset_and_deleted(tool: Tool, topic: TopicFactory) -> None:
    name, group = topic(), "billing"
    tool.run("produce", name, stdin="a\nb\nc\n")
    tool.rows("consume", name, "--from-beginning", "--group", group, "--max", "3")
    tool.run("produce", name, stdin="d\n")
    assert group in [one["group"] for one in tool.rows("groups")]
    offsets, rest = tool.rows("groups", "describe", group)
    assert offsets == {"topic": name, "partition": 0, "committed": 3, "end": 4, "lag": 1}
    assert (rest["state"], rest["members"]) == ("Empty", [])

    reset = ("groups", "reset-offsets", group, "--topic", name)
    assert tool.rows(*reset, "--to-earliest")[0]["committed"] == 0
    assert tool.rows("groups", "describe", group)[0]["committed"] == 3, "without --execute nothing is changed"
    assert tool.rows(*reset, "--shift-by", "-2", "--execute")[0]["committed"] == 1
    assert tool.rows("groups", "describe", group)[0] == {**offsets, "committed": 1, "lag": 3}
    assert tool.rows(*reset, "--to-datetime", "2100-01-01T00:00Z")[0]["committed"] == 4

    tool.run("groups", "delete", group)
    assert group not in [one["group"] for one in tool.rows("groups")]
    assert "no group 'billing'" in tool.run("groups", "describe", group, code=1).stderr


def test_offsets_of_a_group_with_members_are_left_alone(tool: Tool, topic: TopicFactory) -> None:
    name = topic()
    consumer = Consumer({"bootstrap.servers": tool.servers, "group.id": "busy", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([name])
        tool.run("produce", name, stdin="a\n")
        assert consumer.poll(60) is not None
        reset = tool.run("groups", "reset-offsets", "busy", "--topic", name, "--to-latest", "--execute", code=1)
        assert "has 1 members" in reset.stderr
    finally:
        consumer.close()


def test_properties_of_the_client_are_java_s(tool: Tool, topic: TopicFactory, tmp_path: Any) -> None:
    name = topic()
    tool.run("produce", name, "-c", "max.request.size=2000000", stdin="a\n")
    config = tmp_path / "client.properties"
    config.write_text("# comment\nsecurity.protocol = PLAINTEXT\nmax.poll.records: 5\n")
    assert len(tool.consume(name, "--command-config", str(config))) == 1
    assert "is a Java class" in tool.run("consume", name, "-c", "sasl.login.class=x", code=2).stderr
    assert "no client property no.such" in tool.run("consume", name, "-c", "no.such=1", code=2).stderr

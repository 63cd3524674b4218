"""Each program of examples/, run as a user runs it, on a real broker."""

import ast
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"
WIESEL = Path(sys.executable).with_name("wiesel")
DEADLINE_SECONDS = 60.0

Values = list[str]


def wiesel_run(script: str, *arguments: str) -> list[str]:
    return [str(WIESEL), "run", str(EXAMPLES / script), *arguments]


def run_to_the_end(command: list[str], directory: Path) -> str:
    """The program's standard output."""
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert run.returncode == exit_codes.OK, run.stderr
    return run.stdout


@contextmanager
def running(command: list[str], directory: Path) -> Iterator[None]:
    """A program without an end of its own; stopped by one Ctrl-C, which it has to report by its exit code."""
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield
        assert process.poll() is None, f"ended by itself: {log.read_text()}"
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_SECONDS) == exit_codes.INTERRUPTED, log.read_text()
    except BaseException:
        print(log.read_text())
        raise
    finally:
        process.kill()
        process.wait()


def produce(kafka: LocalBroker, topic: str, values: Iterable[str]) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(DEADLINE_SECONDS) == 0


def read(kafka: LocalBroker, topic: str, is_enough: Callable[[Values], bool]) -> Values:
    """Values of a topic of one partition until there are enough, and what comes at once after that."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": "test",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    deadline = time.monotonic() + DEADLINE_SECONDS
    values: Values = []
    try:
        while not is_enough(values):
            assert time.monotonic() < deadline, f"only {len(values)} records in {topic}, the last: {values[-3:]}"
            values += take(consumer, 0.1)
        return values + take(consumer, 0.5)
    finally:
        consumer.close()


def take(consumer: Consumer, seconds: float) -> Values:
    messages = consumer.consume(10_000, timeout=seconds)
    assert [message.error() for message in messages if message.error()] == []
    return [(message.value() or b"").decode() for message in messages]


def at_least(count: int) -> Callable[[Values], bool]:
    return lambda values: len(values) >= count


@pytest.fixture
def topics(kafka: LocalBroker, topic: TopicFactory) -> tuple[str, str]:
    return topic("input"), topic("output")


@pytest.fixture
def arguments(kafka: LocalBroker, topics: tuple[str, str]) -> list[str]:
    return ["--bootstrap", kafka.bootstrap_servers, "--input", topics[0], "--output", topics[1]]


def test_a_hundred_keyed_messages_are_sent_and_read_back(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    script = str(EXAMPLES / "produce_and_consume.py")
    options = ["--bootstrap", kafka.bootstrap_servers, "--topic", topic("test-topic", partitions=2)]
    lines = run_to_the_end([sys.executable, script, *options], tmp_path).splitlines()
    pairs = Counter(line.partition(" key=")[2] for line in lines)
    assert pairs == Counter(f"key-{number} value=message-{number}" for number in range(100))


STRINGS = ["Kafka", "größe", "", "ALREADY", *(f"value {number}" for number in range(500))]


def test_upper_case_of_a_bounded_topic(
    kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    produce(kafka, topics[0], STRINGS)
    run_to_the_end(wiesel_run("uppercase.py", *arguments, "--bounded"), tmp_path)
    assert read(kafka, topics[1], at_least(len(STRINGS))) == [value.upper() for value in STRINGS]


@pytest.mark.parametrize("script", ["uppercase.py", "uppercase_legacy.py"])
def test_upper_case_goes_on_until_ctrl_c(
    script: str, kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    produce(kafka, topics[0], STRINGS)
    with running(wiesel_run(script, *arguments), tmp_path):
        read(kafka, topics[1], at_least(len(STRINGS)))
        produce(kafka, topics[0], ["later"])
        found = read(kafka, topics[1], at_least(len(STRINGS) + 1))
    assert found == [value.upper() for value in [*STRINGS, "later"]]


VALUES = [f"value-{number * number % 7}" for number in range(300)]


def running_counts(values: Iterable[str]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    result = []
    for value in values:
        counts[value] += 1
        result.append((value, counts[value]))
    return result


def values_and_counts(found: Values) -> list[tuple[str, int]]:
    return [(record["value"], record["count"]) for record in map(json.loads, found)]


def test_every_new_count_of_a_value_is_written(
    kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    produce(kafka, topics[0], VALUES)
    run_to_the_end(wiesel_run("count_values.py", *arguments, "--bounded"), tmp_path)
    found = read(kafka, topics[1], at_least(len(VALUES)))
    assert sorted(values_and_counts(found)) == sorted(running_counts(VALUES))


def test_the_legacy_connectors_count_the_same(
    kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    produce(kafka, topics[0], VALUES)
    with running(wiesel_run("count_values_legacy.py", *arguments), tmp_path):
        found = read(kafka, topics[1], at_least(len(VALUES)))
    assert sorted(values_and_counts(found)) == sorted(running_counts(VALUES))


@pytest.mark.parametrize("script", ["window_reduce.py", "window_reduce_legacy.py"])
def test_lines_of_a_key_are_joined_window_by_window(
    script: str, kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    lines = [f"{'abc'[number % 3]},{number};" for number in range(90)]
    produce(kafka, topics[0], ["\n".join(lines[start : start + 5]) for start in range(0, 90, 5)])
    characters = sum(map(len, lines))
    with running(wiesel_run(script, *arguments), tmp_path):
        found = read(kafka, topics[1], lambda values: sum(map(len, values)) >= characters)
    # Where one window ends and the next begins is the wall clock's affair; what they hold together is not.
    for key in "abc":
        joined = "".join(value for value in found if value.startswith(f"{key},"))
        assert joined == "".join(line for line in lines if line.startswith(f"{key},"))
    assert len(found) < len(lines)


def without_subtask(output: str) -> Values:
    """The lines that print() wrote, without the `2> ` of parallel ones."""
    return [line.partition("> ")[2] or line for line in output.splitlines()]


def test_the_numbers_are_printed(tmp_path: Path) -> None:
    lines = without_subtask(run_to_the_end(wiesel_run("number_sequence.py"), tmp_path))
    assert sorted(map(int, lines)) == list(range(100_000))


def test_the_numbers_are_counted_second_by_second(tmp_path: Path) -> None:
    lines = without_subtask(run_to_the_end(wiesel_run("number_windows.py"), tmp_path))
    assert sorted(lines) == sorted(
        f"[{start}, {start + 1000}) 1000 numbers, {start} to {start + 999}" for start in range(0, 100_000, 1000)
    )


def test_clicks_and_orders_are_joined(tmp_path: Path) -> None:
    assert sorted(run_to_the_end(wiesel_run("joins.py"), tmp_path).splitlines()) == [
        "interval> ann saw shoes, order 1 came 2 min later",
        "outer> ann saw belts: order 1",
        "outer> ann saw shoes: order 1",
        "outer> ann saw socks: no order",
        "outer> bob saw hats: no order",
        "window> ann saw belts and gave order 1",
        "window> ann saw shoes and gave order 1",
    ]


def test_words_are_counted_exactly_once(
    kafka: LocalBroker, topics: tuple[str, str], arguments: list[str], tmp_path: Path
) -> None:
    lines = ["Kafka and Flink, Flink and Kafka.", "A weasel is quick", "quick, QUICK!"] * 50
    produce(kafka, topics[0], lines)
    run_to_the_end(wiesel_run("wordcount_kafka.py", *arguments, "--bounded"), tmp_path)
    words = "".join(char.lower() if char.isalnum() else " " for char in " ".join(lines)).split()
    found = read(kafka, topics[1], at_least(len(words)))
    assert sorted(found) == sorted(f"{word} {count}" for word, count in running_counts(words))


def test_examples_know_nothing_of_wiesel_but_those_of_its_extensions() -> None:
    imported = {
        path.name: {
            node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
        }
        for path in EXAMPLES.glob("*.py")
    }
    assert len(imported) >= 11
    ours = {name for name, modules in imported.items() if any("wiesel" in (module or "") for module in modules)}
    # Sources and sinks of the user's own, Kafka headers, encryption, joins of streams: PyFlink has no names for them.
    assert ours == {"joins.py", "own_sink.py", "own_source.py", "payments.py"}


def test_the_readme_names_every_example() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f"`{path.name}`" not in readme] == []

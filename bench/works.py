"""The works of the suite: input, command line and correctness gate of each; PERF's W0 to W6, W8, W9 and goals."""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from bench import gates
from bench.goals import user_events
from bench.kafka import Kafka
from bench.process import BENCH, BenchmarkError, Run, baseline, run

Answer = Counter[Hashable]


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Args:
        id: of PERF.md.
        title: for tables.
        script: in jobs/, and in baselines/ and peers/ as far as they have it.
        records: that Wiesel gets in a run.
        options: more arguments of the script.
        events: makes (value, key, timestamp) of so many records for a topic; None works on a number sequence.
        answer: from the number of records (number sequence) or the file of its events to what has to come out.
        parse: from an output record's JSON to an element of the answer.
    """

    id: str
    title: str
    script: str
    records: int
    answer: Callable[[Any], Answer]
    options: tuple[str, ...] = ()
    events: Callable[[int], Iterator[tuple[str, str | None, int]]] | None = None
    parse: Callable[[Any], Hashable] = tuple


class Arena:
    """Inputs and gates of one run of the suite; topics are filled once a work and size."""

    def __init__(self, kafka: Kafka | None) -> None:
        self._kafka = kafka
        self._directory = tempfile.TemporaryDirectory(prefix="wiesel-bench-")
        self._inputs: dict[tuple[str, int], tuple[str, Answer]] = {}

    @property
    def kafka(self) -> Kafka:
        """The broker's topics."""
        if self._kafka is None:
            raise BenchmarkError("this work needs a broker")
        return self._kafka

    def prepared(self, work: Work, count: int) -> tuple[str, Answer]:
        """The input topic ("" for a number sequence) and the answer."""
        found = self._inputs.get((work.script + work.id, count))
        if found is None:
            if work.events is None:
                found = "", work.answer(count)
            else:
                records = list(work.events(count))
                file = Path(self._directory.name, f"{work.id}-{count}.json")
                file.write_text(
                    "".join(f'{{"event_time": {time}, {value[1:]}\n' for value, _, time in records), encoding="utf-8"
                )
                found = self.kafka.filled(work.script, records), work.answer(file)
            self._inputs[work.script + work.id, count] = found
        return found

    def arguments(self, work: Work, count: int, output: str) -> list[str]:
        """The script's command line."""
        topic, _ = self.prepared(work, count)
        if work.events is None:
            return ["--count", str(count), *work.options]
        return ["--bootstrap", self.kafka.bootstrap_servers, "--input", topic, "--output", output, *work.options]

    def check(self, work: Work, count: int, who: str, done: Run, output: str, last_counts: bool) -> None:
        """Raise unless the output is right."""
        _, answer = self.prepared(work, count)
        what = f"{work.id}, {who}"
        if work.events is None:
            gates.check_lines(done, list(answer.elements()), what)  # type: ignore[arg-type]
            return
        decode = msgspec.json.Decoder().decode
        found = [work.parse(decode(value)) for value in self.kafka.values(output)]
        if last_counts:
            gates.check(Counter(newest(found).items()), Counter(newest(answer).items()), what)
        else:
            gates.check(Counter(found), answer, what)


def newest(counts: Any) -> dict[Any, int]:
    """The highest count of each key."""
    found: dict[Any, int] = {}
    for key, count in counts:
        if count > found.get(key, 0):
            found[key] = count
    return found


def lines(texts: Sequence[str]) -> Answer:
    """An answer of printed lines."""
    return Counter(texts)


# ------------------------------------------------------------------------------------------------------------- inputs

WORDS = 5_000
CAMPAIGNS = 100
EVENT_SECONDS = 200


def word_events(count: int) -> Iterator[tuple[str, str | None, int]]:
    """Words of 5,000, drawn evenly; about a hundred bytes."""
    chance = random.Random(7)
    padding = "a-page-with-a-rather-long-name-that-nobody-reads"
    for number in range(count):
        word = f"word-{chance.randrange(WORDS):05}"
        yield json.dumps({"word": word, "page": padding, "position": number % 1000}), word, 0


def amount_events(count: int) -> Iterator[tuple[str, str | None, int]]:
    """The events of G3, without keys."""
    for event in user_events(count, 10_000):
        yield event, None, 0


@cache
def started() -> int:
    """Where event time begins: lately, since brokers remove what is old."""
    return (int(time.time() * 1000) - 3_600_000) // 60_000 * 60_000


def ad_events(count: int) -> Iterator[tuple[str, str | None, int]]:
    """Events of the Yahoo streaming benchmark over a thousand ads; event time is the record's."""
    chance = random.Random(11)
    for number in range(count):
        event = {
            "ad": f"ad-{chance.randrange(CAMPAIGNS * 10)}",
            "type": chance.choice(("view", "click", "purchase")),
            "user": f"user-{chance.randrange(100_000):06}@example.com",
            "ip": "198.51.100.77",
        }
        yield json.dumps(event), None, started() + number * EVENT_SECONDS * 1000 // count


# ------------------------------------------------------------------------------------------------------------ answers


def counts_of(field: str) -> Callable[[Path], Answer]:
    """Each value's counts from 1 on."""

    def answer(events: Path) -> Answer:
        rows = duckdb.execute(
            f"SELECT {field}, row_number() OVER (PARTITION BY {field}) "
            f"FROM read_json(?, columns = {{{field}: 'VARCHAR'}})",
            [str(events)],
        )
        return Counter(rows.fetchall())

    return answer


def all_users(events: Path) -> Answer:
    """The users of W0."""
    rows = duckdb.execute("SELECT user FROM read_json(?, columns = {user: 'VARCHAR'})", [str(events)])
    return Counter(rows.fetchall())


def large_amounts(events: Path) -> Answer:
    """The users of W1."""
    rows = duckdb.execute(
        "SELECT user FROM read_json(?, columns = {user: 'VARCHAR', amount: 'DOUBLE'}) WHERE amount >= 500",
        [str(events)],
    )
    return Counter(rows.fetchall())


def windows(size: int, slide: int) -> Callable[[Path], Answer]:
    """Views by campaign and start of the window; milliseconds."""

    def answer(events: Path) -> Answer:
        rows = duckdb.execute(
            """
            WITH views AS (
                SELECT substr(ad, 4)::INT // 10 AS campaign, event_time
                FROM read_json(?, columns = {event_time: 'BIGINT', ad: 'VARCHAR', type: 'VARCHAR'})
                WHERE type = 'view'),
            placed AS (
                SELECT campaign, unnest(range(event_time // $2 * $2 - $1 + $2, event_time // $2 * $2 + 1, $2)) AS start
                FROM views)
            SELECT campaign, start, count(*) FROM placed GROUP BY ALL
            """.replace("?", "$3"),
            [size, slide, str(events)],
        )
        return Counter(rows.fetchall())

    return answer


WITHIN_SECONDS = 10


def clicks_on_views(events: Path) -> Answer:
    """W6: each click with each view of the same ad at most ten seconds before it."""
    rows = duckdb.execute(
        """
        WITH events AS (
            SELECT * FROM read_json(?, columns = {event_time: 'BIGINT', ad: 'VARCHAR', type: 'VARCHAR'}))
        SELECT views.ad, views.event_time, clicks.event_time
        FROM events AS views JOIN events AS clicks USING (ad)
        WHERE views.type = 'view' AND clicks.type = 'click'
            AND clicks.event_time BETWEEN views.event_time AND views.event_time + ?
        """,
        [str(events), WITHIN_SECONDS * 1000],
    )
    return Counter(rows.fetchall())


def by_the_loop(script: str, *options: str) -> Callable[[int], Answer]:
    """What the baseline prints: for keys whose distribution no other engine draws in the same way."""

    def answer(count: int) -> Answer:
        return Counter(run(baseline(script, "--count", str(count), *options), set()).stdout.splitlines())

    return answer


def even_counts(keys: int) -> Callable[[int], Answer]:
    """W3 with keys drawn evenly."""

    def answer(count: int) -> Answer:
        rows = duckdb.execute(
            """
            SELECT n || ' ' || c FROM (
                SELECT n, row_number() OVER (PARTITION BY (n::HUGEINT * 2654435761 % $keys) ORDER BY n) AS c
                FROM range($count) AS numbers(n)) WHERE n % 1000 = 0
            """,
            {"count": count, "keys": keys},
        )
        return Counter(line for (line,) in rows.fetchall())

    return answer


def thousands(also_negative: bool = False) -> Callable[[int], Answer]:
    """W9: one number in a thousand, and its negative."""

    def answer(count: int) -> Answer:
        numbers = range(0, count, 1000)
        return Counter(map(str, [*numbers, *([-n for n in numbers] if also_negative else [])]))

    return answer


def user_count(event: Any) -> Hashable:
    """Of an output record."""
    return event["user"], event["count"]


def word_count(event: Any) -> Hashable:
    """Of an output record."""
    return event["word"], event["count"]


def user(event: Any) -> Hashable:
    """Of an output record."""
    return (event["user"],)


def view_count(event: Any) -> Hashable:
    """Of an output record."""
    return event["campaign"], event["start"], event["views"]


def joined(event: Any) -> Hashable:
    """Of an output record."""
    return event["ad"], event["viewed"], event["clicked"]


KEYS, EVERY = 20_000, 50


def keyed_lines(count: int) -> Answer:
    """G1."""
    return lines(gates.keyed_state_lines(count, KEYS, EVERY))


def mapped(count: int) -> Answer:
    """G2."""
    return lines(gates.mapped_lines(count, 1000))


G1 = Work("G1", "keyed ValueState, 20,000 keys", "keyed_state", 2_000_000, keyed_lines)
G2 = Work("G2", "map(lambda), filter(lambda)", "map_lambda", 2_000_000, mapped)
G3 = Work(
    "G3", "Kafka JSON → keyed count → Kafka JSON, stdlib json", "keyed_count_kafka", 300_000,
    counts_of("user"), (), amount_events, user_count,
)  # fmt: skip
G3B = Work(
    "G3b", "the same with the JSON schemas", "keyed_count_rows", 300_000,
    counts_of("user"), (), amount_events, user_count,
)  # fmt: skip
W0 = Work("W0", "null copy, Kafka to Kafka", "null_copy", 300_000, all_users, (), amount_events, user)
W1 = Work("W1", "parse, filter, project JSON", "parse_project", 300_000, large_amounts, (), amount_events, user)
W2 = Work("W2", "word count, 5,000 words", "word_count", 300_000, counts_of("word"), (), word_events, word_count)
W2_ROWS = Work(
    "W2b", "word count with the JSON schemas", "word_count_rows", 300_000,
    counts_of("word"), (), word_events, word_count,
)  # fmt: skip
W3 = [
    Work(
        f"W3 10^{round(math.log10(keys))}{' Zipf' if zipf else ''}",
        f"keyed ValueState, 10^{round(math.log10(keys))} keys{', Zipf 1.1' if zipf else ''}",
        "keyed_value",
        2_000_000 if keys < 10_000_000 else 4_000_000,
        by_the_loop("keyed_value", "--keys", str(keys), "--zipf") if zipf else even_counts(keys),
        ("--keys", str(keys), *(["--zipf"] if zipf else [])),
    )
    for keys in (1_000, 100_000, 10_000_000)
    for zipf in (False, True)
]
W4 = Work(
    "W4", "10 s windows, count per campaign (Yahoo)", "campaigns", 300_000,
    windows(10_000, 10_000), (), ad_events, view_count,
)  # fmt: skip
W5 = Work(
    "W5", "60 s windows sliding by 1 s, count per campaign", "campaigns", 300_000,
    windows(60_000, 1_000), ("--size", "60", "--slide", "1"), ad_events, view_count,
)  # fmt: skip
W6 = Work(
    "W6", "interval join: clicks with the views of the last 10 s", "clicks_on_views", 200_000,
    clicks_on_views, ("--within", str(WITHIN_SECONDS)), ad_events, joined,
)  # fmt: skip
W9 = [
    Work("W9 json", "map(f-string), map(json.loads), map", "functions", 1_000_000, thousands(), ("--function", "json")),
    Work("W9 flat_map", "flat_map", "functions", 1_000_000, thousands(True), ("--function", "flat_map")),
    Work("W9 process", "KeyedProcessFunction", "functions", 1_000_000, thousands(), ("--function", "process")),
]
SCRIPTS = BENCH / "jobs"

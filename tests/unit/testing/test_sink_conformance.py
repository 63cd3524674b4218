"""The conformance checks of sinks: the shipped ones pass, each way of being wrong fails the check named for it."""

from __future__ import annotations

import json
import runpy
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.unit.connectors.files import finished
from wiesel.common import Encoder, Row, Types
from wiesel.connectors.collections.sinks import PlainSink, PlainWriter
from wiesel.core.contracts import Committable, CommitterContext, Json, SinkContext
from wiesel.datastream.connectors.file_system import FileSink, RollingPolicy
from wiesel.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink
from wiesel.testing import ConformanceError, InMemorySink, SinkConformance

EXAMPLES = Path(__file__).parents[3] / "examples"
RECORDS = [f"record {i}" for i in range(7)]
Made = tuple[Any, Callable[[], Sequence[Any]]]


# ------------------------------------------------------------------------------------------------ what is shipped


def file_sink(policy: RollingPolicy | None) -> Callable[[Path], Made]:
    def make(directory: Path) -> Made:
        builder = FileSink.for_row_format(str(directory), Encoder.simple_string_encoder())
        sink = (builder if policy is None else builder.with_rolling_policy(policy)).build()
        spec = sink.spec_for(Types.STRING())
        return spec, lambda: "".join(finished(directory).values()).splitlines()

    return make


def query(path: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        exists = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'results'").fetchone()[0]
        return [value for (value,) in db.execute(text)] if exists else []


def table_sink(directory: Path) -> Made:
    path = directory / "results.db"
    spec = runpy.run_path(str(EXAMPLES / "own_sink.py"))["TableSink"]
    return spec(str(path)), lambda: query(path, "SELECT value FROM results")


def in_memory(exactly_once: bool) -> Callable[[Path], Made]:
    sinks: dict[Path, InMemorySink] = {}

    def make(directory: Path) -> Made:
        sink = sinks.setdefault(directory, InMemorySink(exactly_once))
        return sink, lambda: sink.published

    return make


SHIPPED: dict[str, Callable[[Path], Made]] = {
    "files": file_sink(None),
    "files that roll at checkpoints": file_sink(RollingPolicy.on_checkpoint_rolling_policy()),
    "files of a few records": file_sink(RollingPolicy.default_rolling_policy(part_size=20)),
    "example": table_sink,
}


@pytest.mark.parametrize("sink", SHIPPED)
def test_shipped_sinks_keep_every_rule(sink: str) -> None:
    SinkConformance(SHIPPED[sink], RECORDS).check_all()


@pytest.mark.parametrize("exactly_once", [True, False])
def test_the_in_memory_sink_keeps_every_rule_within_its_process(exactly_once: bool) -> None:
    for check in SinkConformance(in_memory(exactly_once), RECORDS).checks():
        if check.name != "spec_is_data":  # its output is the object itself
            check()


def test_a_database_sink_loses_nothing() -> None:
    def make(directory: Path) -> Made:
        path = directory / "results.db"
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS results (value TEXT)")
        function = JdbcSink.sink(
            "INSERT INTO results VALUES (?)",
            Types.ROW([Types.STRING()]),
            JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url(f"jdbc:sqlite:{path}").build(),
            JdbcExecutionOptions.builder().with_batch_size(2).build(),
        )
        return function.spec, lambda: [Row(value) for value in query(path, "SELECT value FROM results")]

    SinkConformance(make, [Row(text) for text in RECORDS]).check_all()


# -------------------------------------------------------------------------------------------- what must not pass


class Lines(PlainSink):
    """Right: each checkpoint becomes a file of JSON, named after it, whose rename is the commit."""

    transactional = True
    parts: ClassVar[dict[str, type]] = {}

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> Any:
        return self.parts.get("writer", Writer)(self.directory, context)

    def create_committer(self, context: CommitterContext) -> Any:
        return self.parts.get("committer", Committer)(self.directory)


class Writer(PlainWriter):
    def __init__(self, directory: Path, context: SinkContext) -> None:
        self.values: list[Any] = []
        super().__init__(self.values.append)
        self.directory, self.context = directory, context

    def name(self, checkpoint_id: int) -> str:
        return f"{checkpoint_id}-{self.context.subtask}"

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        name = self.name(checkpoint_id)
        (self.directory / f".{name}").write_text(json.dumps(self.values))
        self.values.clear()
        return [Committable(self.context.operator_uid, {"name": name})]


class Committer:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        self.commit(pending)

    def commit(self, committables: Sequence[Committable]) -> None:
        for committable in committables:
            hidden = self.directory / f".{committable.data['name']}"
            if hidden.exists():
                hidden.rename(self.directory / committable.data["name"])

    def snapshot(self) -> Json:
        return None

    def close(self) -> None:
        """Nothing to release."""


def lines(**parts: type) -> Callable[[Path], Made]:
    kind = type("Broken", (Lines,), {"parts": parts})

    def make(directory: Path) -> Made:
        visible = [path for path in directory.iterdir() if not path.name.startswith(".")]
        return kind(directory), lambda: [value for path in visible for value in json.loads(path.read_text())]

    return make


class CannotBePickled(Lines):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.lock = threading.Lock()


class LosesTheLast(Writer):
    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        del self.values[-1:]
        return super().prepare_commit(checkpoint_id)


class SameNameForEveryWriter(Writer):
    def name(self, checkpoint_id: int) -> str:
        return str(checkpoint_id)


class CountsNothing(Writer):
    def records_written(self) -> int:
        return 0


class FailsWithoutRecords(Writer):
    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        assert self.values, "nothing to commit"
        return super().prepare_commit(checkpoint_id)


class PublishesAtTheBarrier(Writer):
    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        found = super().prepare_commit(checkpoint_id)
        Committer(self.directory).commit(found)
        return found


class PublishesWhenClosed(Writer):
    def close(self) -> None:
        Committer(self.directory).commit(self.prepare_commit(99))


class NewNameForEachCommit(Committer):
    def commit(self, committables: Sequence[Committable]) -> None:
        for committable in committables:
            text = (self.directory / f".{committable.data['name']}").read_text()
            (self.directory / f"{len(list(self.directory.iterdir()))}").write_text(text)


class ForgetsWhatWasPending(Committer):
    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """As if the dead process had surely published it."""


BROKEN: dict[str, tuple[Callable[[Path], Made], str]] = {
    "spec_is_data": (lambda directory: (CannotBePickled(directory), list), "cannot be pickled"),
    "everything": (lines(writer=LosesTheLast), "Missing: 'record 2', 'record 5', 'record 6'"),
    "parallel_writers": (lines(writer=SameNameForEveryWriter), "From 3 writers there are"),
    "records_written": (lines(writer=CountsNothing), "is 0 after 1 records"),
    "empty_checkpoints": (lines(writer=FailsWithoutRecords), "nothing to commit"),
    "nothing_early": (lines(writer=PublishesAtTheBarrier), r"before checkpoint 1 is complete output is visible"),
    "close_publishes_nothing": (lines(writer=PublishesWhenClosed), r"close\(\) of a writer without a checkpoint"),
    "commit_again": (lines(committer=NewNameForEachCommit), r"After the same commit\(\) once more there are 14"),
    "recover_again": (lines(committer=ForgetsWhatWasPending), "Missing: 'record 0'"),
    "killed_anywhere": (lines(committer=ForgetsWhatWasPending), r"Killed before commit\(\) of checkpoint 1"),
}


def test_the_sink_that_the_broken_ones_are_made_of_is_right() -> None:
    SinkConformance(lines(), RECORDS).check_all()


def test_every_check_has_a_sink_that_fails_it() -> None:
    assert {check.name for check in SinkConformance(lines(), RECORDS).checks()} == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_sink_that_breaks_a_rule_fails_the_check_of_that_rule(name: str) -> None:
    broken, message = BROKEN[name]
    [check] = [check for check in SinkConformance(broken, RECORDS).checks() if check.name == name]
    with pytest.raises(ConformanceError, match=message) as failure:
        check()
    assert str(failure.value).startswith(f"{name}: ")
    assert "The rule: " in str(failure.value)


def test_a_sink_that_publishes_at_once_and_again_after_a_failure_is_not_exactly_once() -> None:
    class Appends(PlainSink):
        transactional = True

        def __init__(self, directory: Path) -> None:
            self.path = directory / "out"

        def create_writer(self, context: SinkContext, state: Sequence[Json]) -> PlainWriter:
            path = self.path

            def append(value: Any) -> None:
                with path.open("a") as out:
                    out.write(f"{value}\n")

            return PlainWriter(append)

        def create_committer(self, context: CommitterContext) -> Any:
            return Committer(self.path.parent)

    def make(directory: Path) -> Made:
        path = directory / "out"
        return Appends(directory), lambda: path.read_text().splitlines() if path.exists() else []

    with pytest.raises(ConformanceError) as failure:
        SinkConformance(make, RECORDS).check_all()
    assert {"killed_anywhere", "nothing_early", "close_publishes_nothing"} <= {
        line.partition(":")[0] for line in str(failure.value).splitlines()
    }

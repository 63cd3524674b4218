"""The JDBC sink: statements, drivers, batches and retries, on SQLite."""

from __future__ import annotations

import datetime
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.files import sink_context
from wiesel.common import Row, Types
from wiesel.connectors.jdbc import batches
from wiesel.connectors.jdbc.drivers import driver_for
from wiesel.connectors.jdbc.statement import translate
from wiesel.core.errors import ConfigurationError, ConnectionFailedError, TypeMismatchError, UnsupportedError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink
from wiesel.testing.clock import ManualClock

ROW = Types.ROW([Types.STRING(), Types.LONG()])
INSERT = "INSERT INTO counts VALUES (?, ?)"


def connection(url: str) -> JdbcConnectionOptions:
    return JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url(url).build()


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "counts.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE counts (word TEXT PRIMARY KEY, n INTEGER)")
    db.close()
    return path


def rows(path: Path) -> list[Any]:
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT * FROM counts ORDER BY 1").fetchall()
    finally:
        db.close()


@pytest.fixture
def writer_of(database):
    writers = []

    def make(sql: str = INSERT, **options: int) -> Any:
        execution = JdbcExecutionOptions.builder()
        for name, value in options.items():
            getattr(execution, f"with_{name}")(value)
        sink = JdbcSink.sink(sql, ROW, connection(f"jdbc:sqlite:{database}"), execution.build())
        writer = sink.spec.create_writer(sink_context(ManualClock()), [])
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        writer.close()


def test_rows_are_in_the_database_when_flush_returns(database, writer_of):
    writer = writer_of()
    writer.write(Row("a", 1), 0)
    assert rows(database) == []
    writer.flush()
    assert rows(database) == [("a", 1)]
    assert writer.records_written() == 1
    assert writer.prepare_commit(1) == ()


def test_rows_of_other_names_are_taken_by_position(database, writer_of):
    writer = writer_of()
    writer.write(Row(word="a", n=1), 0)
    writer.write(Row(f1=2, f0="b"), 0)
    writer.flush()
    assert rows(database) == [("a", 1), ("b", 2)]


def test_full_batch_is_written_without_a_flush(database, writer_of):
    writer = writer_of(batch_size=2)
    for row in (Row("a", 1), Row("b", 2), Row("c", 3)):
        writer.write(row, 0)
    writer._batches.drain()  # waits for what was handed over, and hands nothing over itself
    assert rows(database) == [("a", 1), ("b", 2)]


def test_batch_is_written_after_the_interval(database, writer_of):
    writer = writer_of(batch_interval_ms=20)
    handed_over, put = threading.Event(), writer._batches.put

    def put_and_tell(batch: Any) -> None:
        put(batch)
        handed_over.set()

    writer._batches.put = put_and_tell
    writer.write(Row("a", 1), 0)
    assert handed_over.wait(60)
    writer._batches.drain()
    assert rows(database) == [("a", 1)]


def test_failing_batch_leaves_nothing_behind_and_names_the_cause(database, writer_of):
    with pytest.raises(ConnectionFailedError, match=r"sink: 3 records could not be written.* tried 1 times.*UNIQUE"):
        write_failing(writer_of(max_retries=0))
    assert rows(database) == []


def write_failing(writer: Any) -> None:
    for word in ("a", "b", "a"):
        writer.write(Row(word, 1), 0)
    writer.flush()


def test_failing_batch_is_tried_again_as_often_as_said(writer_of, monkeypatch):
    monkeypatch.setattr(batches, "_RETRY_SECONDS", 0)
    with pytest.raises(ConnectionFailedError, match="tried 3 times"):
        write_failing(writer_of(max_retries=2))


def test_batch_succeeds_once_the_table_is_there(database, writer_of, monkeypatch):
    monkeypatch.setattr(batches, "_RETRY_SECONDS", 0.05)
    writer = writer_of("INSERT INTO later VALUES (?, ?)", max_retries=1000)
    writer.write(Row("a", 1), 0)
    writer._hand_over()
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE later (word TEXT, n INTEGER)")
        db.execute("DROP TABLE counts")
        db.execute("CREATE VIEW counts AS SELECT * FROM later")
    db.close()
    writer.flush()
    assert rows(database) == [("a", 1)]


def test_slow_database_holds_the_job_back(database, writer_of):
    blocker = sqlite3.connect(database)
    blocker.execute("BEGIN EXCLUSIVE")
    writer = writer_of(batch_size=1)
    assert writer.is_available()
    for number in range(batches.MAX_WAITING + 1):
        writer.write(Row(str(number), number), 0)
    # One batch may be with the thread, the others wait.
    assert writer._batches.waiting() >= batches.MAX_WAITING
    assert not writer.is_available()
    blocker.rollback()
    blocker.close()
    writer.flush()
    assert writer.is_available()
    assert len(rows(database)) == batches.MAX_WAITING + 1


def test_row_of_another_type_is_refused_at_once(writer_of):
    with pytest.raises(TypeMismatchError):
        writer_of().write(Row("a", "one"), 0)


def test_upsert_of_a_job_with_restarts_ends_with_the_right_counts(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marker = tmp_path / "failed"

    def fail_once(value: int) -> Row:
        if value == 700 and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        return Row(str(value), value)

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.enable_checkpointing(10)
    sql = f"{INSERT} ON CONFLICT (word) DO UPDATE SET n = excluded.n"
    stream = env.from_collection(list(range(1000)), Types.INT()).map(fail_once, ROW)
    options = JdbcExecutionOptions.builder().with_batch_size(64).build()
    stream.add_sink(JdbcSink.sink(sql, ROW, connection(f"jdbc:sqlite:{database}"), options))
    env.execute()
    assert marker.exists()
    assert sorted(n for _, n in rows(database)) == list(range(1000))


# ------------------------------------------------------------------------------------------------- statements


@pytest.mark.parametrize(
    ("sql", "translated", "count"),
    [
        ("INSERT INTO t VALUES (?, ?)", "INSERT INTO t VALUES (%s, %s)", 2),
        ("UPDATE t SET a = '?''?' WHERE b = ? -- why?", "UPDATE t SET a = '?''?' WHERE b = %s -- why?", 1),
        ('SELECT "?", `?`, ? /* ?\n? */', 'SELECT "?", `?`, %s /* ?\n? */', 1),
        ("SELECT '5%' LIKE ? || '%'", "SELECT '5%%' LIKE %s || '%%'", 1),
    ],
)
def test_question_marks_become_the_drivers_parameters_outside_of_texts_and_comments(sql, translated, count):
    assert translate(sql, "pyformat") == (translated, count)
    assert translate(sql, "qmark") == (sql, count)


def test_values_that_sqlite_lacks_are_written_as_texts():
    convert = driver_for("jdbc:sqlite::memory:", None, None).convert
    assert convert(Decimal("1.50")) == "1.50"
    assert convert(datetime.datetime(2024, 2, 29, 13, 45)) == "2024-02-29 13:45:00"
    assert convert(datetime.date(2024, 2, 29)) == "2024-02-29"
    assert convert(7) == 7


# ---------------------------------------------------------------------------------------------------- options


def test_execution_options_are_flinks_defaults_or_what_was_set():
    defaults = JdbcExecutionOptions.defaults()
    found = (defaults.get_batch_size(), defaults.get_batch_interval_ms(), defaults.get_max_retries())
    assert found == (5000, 0, 3)
    options = JdbcExecutionOptions.builder().with_batch_size(7).with_batch_interval_ms(8).with_max_retries(9).build()
    assert (options.get_batch_size(), options.get_batch_interval_ms(), options.get_max_retries()) == (7, 8, 9)
    with pytest.raises(ConfigurationError, match="max_retries"):
        JdbcExecutionOptions.builder().with_max_retries(-1).build()


def test_connection_options_are_what_was_set():
    options = (
        JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
        .with_url("jdbc:sqlite:x.db")
        .with_driver_name("org.sqlite.JDBC")
        .with_user_name("me")
        .with_password("secret")
        .build()
    )
    assert options.get_db_url() == "jdbc:sqlite:x.db"
    assert options.get_driver_name() == "org.sqlite.JDBC"
    assert (options.get_user_name(), options.get_password()) == ("me", "secret")
    assert "secret" not in repr(options.connection)


@pytest.mark.parametrize(
    ("url", "error", "text"),
    [
        ("postgresql://localhost/db", ConfigurationError, "begins with 'jdbc:'"),
        ("jdbc:oracle:thin:@x", UnsupportedError, "jdbc:oracle:"),
        ("", ConfigurationError, "with_url"),
    ],
)
def test_wrong_url_fails_in_the_script(url, error, text):
    with pytest.raises(error, match=text):
        connection(url)


def test_number_of_parameters_and_of_fields_must_be_equal(database):
    sink = JdbcSink.sink("INSERT INTO counts VALUES (?)", ROW, connection(f"jdbc:sqlite:{database}"))
    with pytest.raises(ConfigurationError, match=r"1 parameters .* 2 fields"):
        sink.spec.preflight(None, None)  # type: ignore[arg-type]


def test_database_that_does_not_answer_fails_before_the_job_starts(tmp_path):
    sink = JdbcSink.sink(INSERT, ROW, connection(f"jdbc:sqlite:{tmp_path}/no/such/folder.db"))
    with pytest.raises(ConnectionFailedError, match="does not answer"):
        sink.spec.preflight(None, None)  # type: ignore[arg-type]


def test_type_must_be_a_row():
    with pytest.raises(TypeError, match=r"Types\.ROW"):
        JdbcSink.sink(INSERT, Types.STRING(), connection("jdbc:sqlite:x"))  # type: ignore[arg-type]

"""JdbcSink on a real PostgreSQL: one that the tests fetch, and that of Debian's packages where it is installed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support import postgresql as postgresql_server
from tests.support.postgresql import connect
from wiesel.common import Row, Types
from wiesel.core.errors import ConnectionFailedError, JobExecutionError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcExecutionOptions, JdbcSink

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=postgresql_server.kinds())
def postgresql(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a database that lives as long as these tests."""
    with postgresql_server.running(request.param) as port:
        yield port


def options(port: int) -> JdbcConnectionOptions:
    return (
        JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
        .with_url(f"jdbc:postgresql://127.0.0.1:{port}/postgres?ApplicationName=wiesel")
        .with_driver_name("org.postgresql.Driver")
        .with_user_name("wiesel")
        .build()
    )


def test_job_with_a_failure_upserts_every_type(postgresql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with connect(postgresql) as db:
        db.execute(
            "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, x DOUBLE PRECISION, ok BOOLEAN, price NUMERIC(8, 2), "
            "day DATE, at TIME, ts TIMESTAMP, raw BYTEA)"
        )
    moment = datetime.datetime(2024, 2, 29, 13, 45, 0, 500_000)
    row_type = Types.ROW(
        [
            Types.LONG(),
            Types.STRING(),
            Types.DOUBLE(),
            Types.BOOLEAN(),
            Types.BIG_DEC(),
            Types.SQL_DATE(),
            Types.SQL_TIME(),
            Types.SQL_TIMESTAMP(),
            Types.PRIMITIVE_ARRAY(Types.BYTE()),
        ]
    )
    marker = tmp_path / "failed"

    def to_row(i: int) -> Row:
        if i == 600 and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        if i == 1:
            return Row(1, *[None] * 8)
        return Row(
            i, f"5% of {i}?", 1.5, True, Decimal("1.50"), moment.date(), datetime.time(13, 45), moment, b"\x00\xff"
        )

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.enable_checkpointing(10)
    execution = JdbcExecutionOptions.builder().with_batch_size(100).build()
    columns = ", ".join("?" * 9)
    sql = f"INSERT INTO t VALUES ({columns}) ON CONFLICT (id) DO UPDATE SET name = excluded.name"
    stream = env.from_collection(list(range(1000)), Types.LONG()).map(to_row, row_type)
    stream.add_sink(JdbcSink.sink(sql, row_type, options(postgresql), execution))
    env.execute()
    with connect(postgresql) as db:
        rows = db.execute("SELECT * FROM t ORDER BY id").fetchall()
    assert [row[0] for row in rows] == list(range(1000))
    assert rows[0] == (
        0, "5% of 0?", 1.5, True, Decimal("1.50"), moment.date(), datetime.time(13, 45), moment, b"\x00\xff"
    )  # fmt: skip
    assert rows[1] == (1, *[None] * 8)


def test_missing_table_fails_with_the_databases_words(postgresql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = StreamExecutionEnvironment.get_execution_environment()
    row_type = Types.ROW([Types.LONG()])
    execution = JdbcExecutionOptions.builder().with_max_retries(0).build()
    stream = env.from_collection([Row(1)], row_type)
    stream.add_sink(JdbcSink.sink("INSERT INTO nowhere VALUES (?)", row_type, options(postgresql), execution))
    with pytest.raises(JobExecutionError, match="nowhere"):
        env.execute()


def test_unknown_user_is_told_before_the_job_starts(postgresql):
    connection = (
        JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
        .with_url(f"jdbc:postgresql://127.0.0.1:{postgresql}/postgres")
        .with_user_name("nobody")
        .with_password("x")
        .build()
    )
    sink = JdbcSink.sink("INSERT INTO t VALUES (?)", Types.ROW([Types.LONG()]), connection)
    with pytest.raises(ConnectionFailedError, match="nobody"):
        sink.spec.preflight(None, None)  # type: ignore[arg-type]

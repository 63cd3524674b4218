"""Parquet and ORC files."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import orc, parquet

from tests.unit.connectors.files import collected
from wiesel.common import Row, WatermarkStrategy
from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import BucketAssigner, FileSink, FileSource
from wiesel.datastream.formats.avro import AvroSchema, GenericRecordAvroTypeInfo
from wiesel.datastream.formats.orc import OrcBulkWriters
from wiesel.datastream.formats.parquet import (
    AvroParquetReaders,
    AvroParquetWriters,
    ParquetBulkWriters,
    ParquetColumnarRowInputFormat,
)
from wiesel.table import DataTypes

COLUMNS = DataTypes.ROW(
    [
        DataTypes.FIELD("id", DataTypes.INT()),
        DataTypes.FIELD("name", DataTypes.STRING()),
        DataTypes.FIELD("ok", DataTypes.BOOLEAN()),
        DataTypes.FIELD("price", DataTypes.DECIMAL(8, 2)),
        DataTypes.FIELD("day", DataTypes.DATE()),
        DataTypes.FIELD("at", DataTypes.TIME()),
        DataTypes.FIELD("ts", DataTypes.TIMESTAMP(6)),
        DataTypes.FIELD("raw", DataTypes.BYTES()),
        DataTypes.FIELD("tags", DataTypes.ARRAY(DataTypes.STRING())),
        DataTypes.FIELD("count", DataTypes.MAP(DataTypes.STRING(), DataTypes.BIGINT())),
        DataTypes.FIELD("in", DataTypes.ROW([DataTypes.FIELD("x", DataTypes.DOUBLE())])),
    ]
)
MOMENT = datetime.datetime(2024, 2, 29, 13, 45, 0, 123_000)
VALUES = [
    1,
    "a",
    True,
    Decimal("1.50"),
    MOMENT.date(),
    MOMENT.time().replace(microsecond=0),
    MOMENT,
    b"ab",
    ["x", "y"],
    {"k": 7},
    Row(x=1.5),
]
NAMES = COLUMNS.names
FIRST = Row(*NAMES)(*VALUES)
EMPTY = Row(*NAMES)(*[None] * len(NAMES))


def content(factory: Any, records: list[Any]) -> io.BytesIO:
    stream = io.BytesIO()
    writer = factory.create(stream)
    for record in records:
        writer.add_element(record)
    writer.finish()
    assert not stream.closed
    stream.seek(0)
    return stream


def read(path: Path, file_format: Any, position: Any = None) -> list[Any]:
    records = file_format.open_file(path, position)
    try:
        return list(records.read(10_000))
    finally:
        records.close()


@pytest.mark.parametrize("utc", [True, False])
def test_rows_are_written_and_read_as_what_they_were(tmp_path, utc):
    path = tmp_path / "x.parquet"
    factory = ParquetBulkWriters.for_row_type(COLUMNS, utc_timestamp=utc)
    path.write_bytes(content(factory, [FIRST, EMPTY]).getvalue())
    assert read(path, ParquetColumnarRowInputFormat(COLUMNS, is_utc_timestamp=utc)) == [FIRST, EMPTY]
    assert read(path, ParquetColumnarRowInputFormat(COLUMNS, batch_size=1, is_utc_timestamp=utc), 1) == [EMPTY]


def test_timestamps_are_stored_in_utc_or_as_local_time_in_utc(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    import time

    time.tzset()
    try:
        row_type = DataTypes.ROW([DataTypes.FIELD("ts", DataTypes.TIMESTAMP(6))])
        stored = {}
        for utc in (True, False):
            stream = content(ParquetBulkWriters.for_row_type(row_type, utc_timestamp=utc), [Row(ts=MOMENT)])
            stored[utc] = parquet.read_table(stream, coerce_int96_timestamp_unit="us")["ts"][0].as_py()
        assert stored == {True: MOMENT, False: MOMENT - datetime.timedelta(hours=9)}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_rows_of_other_names_are_written_by_position():
    row_type = DataTypes.ROW([DataTypes.FIELD("id", DataTypes.INT()), DataTypes.FIELD("name", DataTypes.STRING())])
    stream = content(ParquetBulkWriters.for_row_type(row_type), [Row(f0=1, f1="x"), (2, "y"), {"name": "z", "id": 3}])
    assert parquet.read_table(stream).to_pylist() == [{"id": i, "name": n} for i, n in ((1, "x"), (2, "y"), (3, "z"))]


def test_columns_are_found_by_name_and_missing_ones_are_none(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(content(ParquetBulkWriters.for_row_type(COLUMNS), [FIRST]).getvalue())
    wanted = DataTypes.ROW([DataTypes.FIELD("NAME", DataTypes.STRING()), DataTypes.FIELD("id", DataTypes.INT())])
    assert read(path, ParquetColumnarRowInputFormat(wanted)) == [Row(NAME=None, id=1)]
    assert read(path, ParquetColumnarRowInputFormat(wanted, is_case_sensitive=False)) == [Row(NAME="a", id=1)]


def test_column_of_another_type_fails_with_the_file(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(content(ParquetBulkWriters.for_row_type(COLUMNS), [FIRST]).getvalue())
    wanted = DataTypes.ROW([DataTypes.FIELD("name", DataTypes.INT())])
    with pytest.raises(RecordError, match=r"x\.parquet does not fit"):
        read(path, ParquetColumnarRowInputFormat(wanted))


def test_file_that_is_no_parquet_fails_with_its_name(tmp_path):
    (tmp_path / "x.parquet").write_text("text")
    with pytest.raises(RecordError, match=r"x\.parquet is no Parquet file"):
        read(tmp_path / "x.parquet", ParquetColumnarRowInputFormat(COLUMNS))


def test_job_writes_and_reads_parquet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row_type = DataTypes.ROW([DataTypes.FIELD("id", DataTypes.INT()), DataTypes.FIELD("name", DataTypes.STRING())])
    rows = [Row(id=i, name=str(i)) for i in range(5000)]
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    sink = FileSink.for_bulk_format("out", ParquetBulkWriters.for_row_type(row_type))
    env.from_collection(rows, row_type.type_info()).sink_to(
        sink.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()
    )
    env.execute()
    env = StreamExecutionEnvironment.get_execution_environment()
    source = FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(row_type), "out").build()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "parquet")
    assert stream.get_type() == row_type.type_info()
    found = collected(stream)
    assert sorted(found, key=lambda row: row.id) == rows


def test_orc_files_hold_the_rows():
    row_type = DataTypes.ROW([DataTypes.FIELD("id", DataTypes.INT()), DataTypes.FIELD("ts", DataTypes.TIMESTAMP(6))])
    stream = content(OrcBulkWriters.for_row_type(row_type), [Row(id=1, ts=MOMENT), Row(id=None, ts=None)])
    table = orc.ORCFile(stream).read()
    assert table["id"].to_pylist() == [1, None]
    assert str(table["ts"][0].cast("timestamp[us]").as_py()).startswith("2024-02-29 13:45:00.123")


def test_row_types_are_needed():
    for factory in (ParquetBulkWriters, OrcBulkWriters):
        with pytest.raises(TypeError, match=r"DataTypes\.ROW"):
            factory.for_row_type(DataTypes.INT())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"DataTypes\.ROW"):
        ParquetColumnarRowInputFormat("id INT")  # type: ignore[arg-type]
    writer = ParquetBulkWriters.for_row_type(COLUMNS).create(io.BytesIO())
    with pytest.raises(TypeMismatchError):
        writer.add_element(Row("one"))


USER = AvroSchema.parse_string(
    '{"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"},'
    ' {"name": "ages", "type": {"type": "map", "values": "int"}},'
    ' {"name": "tags", "type": {"type": "array", "items": "string"}},'
    ' {"name": "best", "type": ["null", {"type": "record", "name": "Pet",'
    ' "fields": [{"name": "n", "type": "long"}]}]}]}'
)
USERS = [
    {"name": "ann", "ages": {"a": 1}, "tags": ["x"], "best": {"n": 1}},
    {"name": "bob", "ages": {}, "tags": [], "best": None},
]


def test_generic_records_are_written_and_read_as_what_they_were(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(content(AvroParquetWriters.for_generic_record(USER), USERS).getvalue())
    file_format = AvroParquetReaders.for_generic_record(USER)
    assert file_format.produced_type() == GenericRecordAvroTypeInfo(USER)
    assert read(path, file_format) == USERS
    assert read(path, file_format, 1) == USERS[1:]


def test_avro_types_without_a_column_are_refused():
    schema = AvroSchema.parse_string(
        '{"type": "record", "name": "R", "fields": [{"name": "x", "type": ["int", "string"]}]}'
    )
    with pytest.raises(TypeError, match="one of several types"):
        AvroParquetWriters.for_generic_record(schema).create(io.BytesIO())

"""Avro messages, generic records and container files."""

from __future__ import annotations

import datetime
import io
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import fastavro
import pytest

from tests.unit.connectors.files import collected
from wiesel.common import Row, Types, WatermarkStrategy
from wiesel.core.errors import ConfigurationError, RecordError, TypeMismatchError, UnsupportedError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import BucketAssigner, FileSink, FileSource
from wiesel.datastream.formats.avro import (
    AvroBulkWriters,
    AvroInputFormat,
    AvroRowDeserializationSchema,
    AvroRowSerializationSchema,
    AvroSchema,
    GenericRecordAvroTypeInfo,
)
from wiesel.formats.avro import AvroFileFormat

FLIGHT = json.dumps(
    {
        "type": "record",
        "name": "Flight",
        "namespace": "air",
        "fields": [
            {"name": "number", "type": "string"},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "left", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}},
            {"name": "stops", "type": {"type": "array", "items": {"type": "record", "name": "Stop", "fields": [
                {"name": "code", "type": "string"}]}}},
            {"name": "seats", "type": {"type": "map", "values": "int"}},
            {"name": "last", "type": ["null", "Stop"]},
        ],
    }
)  # fmt: skip
LEFT = datetime.datetime(2024, 2, 29, 13, 45, 0, 500_000)
ROW = Row(
    number="LH1",
    day=LEFT.date(),
    left=LEFT,
    price=Decimal("1.50"),
    stops=[Row(code="FRA")],
    seats={"a": 1},
    last=None,
)


def test_rows_are_written_and_read_as_what_they_were():
    data = AvroRowSerializationSchema(avro_schema_string=FLIGHT).serialize(ROW)
    schema = pickle.loads(pickle.dumps(AvroRowDeserializationSchema(avro_schema_string=FLIGHT)))
    assert schema.deserialize(data) == ROW
    assert schema.deserialize(None) is None


def test_rows_of_other_names_are_written_by_position():
    user = '{"type": "record", "name": "U", "fields": [{"name": "id", "type": "int"}, {"name": "n", "type": "string"}]}'
    data = AvroRowSerializationSchema(avro_schema_string=user).serialize(Row(f0=1, f1="x"))
    assert AvroRowDeserializationSchema(avro_schema_string=user).deserialize(data) == Row(id=1, n="x")


def test_message_is_plain_avro_with_times_in_utc():
    data = AvroRowSerializationSchema(avro_schema_string=FLIGHT).serialize(ROW)
    record: Any = fastavro.schemaless_reader(io.BytesIO(data), json.loads(FLIGHT), None)
    assert record["left"] == LEFT.replace(tzinfo=datetime.UTC)
    assert record["stops"] == [{"code": "FRA"}]


def test_type_of_rows_follows_the_schema():
    assert str(AvroRowDeserializationSchema(avro_schema_string=FLIGHT).produced_type()) == str(
        Types.ROW_NAMED(
            ["number", "day", "left", "price", "stops", "seats", "last"],
            [
                Types.STRING(),
                Types.SQL_DATE(),
                Types.SQL_TIMESTAMP(),
                Types.BIG_DEC(),
                Types.OBJECT_ARRAY(Types.ROW_NAMED(["code"], [Types.STRING()])),
                Types.MAP(Types.STRING(), Types.INT()),
                Types.ROW_NAMED(["code"], [Types.STRING()]),
            ],
        )
    )


def test_malformed_message_fails():
    schema = AvroRowDeserializationSchema(avro_schema_string=FLIGHT)
    data = AvroRowSerializationSchema(avro_schema_string=FLIGHT).serialize(ROW)
    for wrong in (data[:-3], b"\xff" * 12, data + b"x"):
        with pytest.raises(RecordError, match="Failed to deserialize Avro record"):
            schema.deserialize(wrong)


def test_row_that_does_not_fit_fails():
    with pytest.raises(TypeMismatchError, match="Failed to serialize row"):
        AvroRowSerializationSchema(avro_schema_string=FLIGHT).serialize(Row(1, 2))


def test_java_classes_and_missing_schemas_are_refused():
    for schema in (AvroRowDeserializationSchema, AvroRowSerializationSchema):
        with pytest.raises(UnsupportedError, match="avro_schema_string"):
            schema(record_class="org.example.Flight")
        with pytest.raises(TypeError, match="should be specified"):
            schema()
        with pytest.raises(TypeError, match="must be a record"):
            schema(avro_schema_string='"string"')


# ------------------------------------------------------------------------------------------- generic records

USER = json.dumps(
    {
        "type": "record",
        "name": "User",
        "fields": [
            {"name": "name", "type": "string"},
            {"name": "age", "type": ["null", "int"]},
            {"name": "born", "type": {"type": "int", "logicalType": "date"}},
        ],
    }
)
SCHEMA = AvroSchema.parse_string(USER)
USERS = [{"name": "ann", "age": 30, "born": 100}, {"name": "bob", "age": None, "born": 200}]


def test_schema_is_parsed_from_text_and_file(tmp_path):
    (tmp_path / "user.avsc").write_text(USER)
    assert AvroSchema.parse_file(str(tmp_path / "user.avsc")) == SCHEMA
    assert json.loads(str(SCHEMA)) == json.loads(USER)
    with pytest.raises(ConfigurationError, match="no Avro schema"):
        AvroSchema.parse_string('{"type": "recrd"}')
    with pytest.raises(ConfigurationError, match="no Avro schema"):
        AvroSchema.parse_string("{")


def test_generic_records_are_dicts_of_what_avro_stores():
    kind = GenericRecordAvroTypeInfo(SCHEMA)
    assert kind.coerce({"name": "ann", "age": 30, "born": 100}) == USERS[0]
    assert kind.coerce({"name": "bob", "born": 200}) == USERS[1]
    assert kind.decode(kind.encode(USERS[0])) == USERS[0]
    assert pickle.loads(pickle.dumps(kind)) == kind
    assert kind.text(USERS[0]) == '{"name": "ann", "age": 30, "born": 100}'
    with pytest.raises(TypeMismatchError, match="GenericRecord"):
        kind.coerce({"name": 1})
    assert kind.from_internal_type(USERS[0]) is kind.to_internal_type(USERS[0]) is USERS[0]
    assert kind.need_conversion() is False
    with pytest.raises(UnsupportedError):
        kind.get_java_type_info()
    with pytest.raises(UnsupportedError):
        AvroInputFormat("x", SCHEMA).get_java_object()


def written(tmp_path: Path, schema: AvroSchema, records: list[Any]) -> Path:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    sink = FileSink.for_bulk_format(str(tmp_path / "out"), AvroBulkWriters.for_generic_record(schema))
    stream = env.from_collection(records).map(lambda e: e, GenericRecordAvroTypeInfo(schema))
    stream.sink_to(sink.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build())
    env.execute()
    (path,) = (tmp_path / "out").iterdir()
    return path


def test_container_files_are_written_and_read_by_jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, SCHEMA, USERS * 1000)
    with path.open("rb") as file:
        assert [r["name"] for r in cast(Any, fastavro.reader(file))] == ["ann", "bob"] * 1000
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    stream = env.create_input(AvroInputFormat(str(path), SCHEMA))
    assert stream.get_type() == AvroInputFormat(str(path), SCHEMA).get_produced_type()
    found = collected(stream)
    assert found == USERS * 1000


def test_files_are_read_as_the_schema_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, SCHEMA, USERS)
    newer = json.loads(USER)
    newer["fields"] = [newer["fields"][0], {"name": "city", "type": "string", "default": "?"}]
    records = AvroFileFormat(AvroSchema(newer)).open_file(path, 1)
    assert records.read(10) == [{"name": "bob", "city": "?"}]
    records.close()


def test_file_that_is_no_avro_fails_with_its_name(tmp_path):
    (tmp_path / "x.avro").write_text("text")
    records = AvroFileFormat(SCHEMA).open_file(tmp_path / "x.avro", None)
    with pytest.raises(RecordError, match=r"x\.avro cannot be read as Avro"):
        records.read(1)
    records.close()


def test_writer_refuses_what_does_not_fit():
    writer = AvroBulkWriters.for_generic_record(SCHEMA).create(io.BytesIO())
    with pytest.raises(TypeMismatchError, match="Expected a record"):
        writer.add_element({"name": 1})
    with pytest.raises(TypeError, match="AvroSchema"):
        AvroBulkWriters.for_generic_record(USER)  # type: ignore[arg-type]


def test_missing_library_is_named_with_its_extra():
    program = (
        "import sys; sys.modules['fastavro'] = None\n"
        "from wiesel.datastream.formats.avro import AvroSchema\n"
        "AvroSchema.parse_string('\"int\"')"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "pip install 'wiesel[avro]'" in found.stderr


def test_monitored_source_of_avro_files_is_a_file_source(tmp_path):
    source = AvroInputFormat(str(tmp_path), SCHEMA).to_source()
    assert isinstance(source, FileSource)
    env = StreamExecutionEnvironment.get_execution_environment()
    assert env.from_source(source, WatermarkStrategy.no_watermarks(), "x").get_type() == source.produced_type()

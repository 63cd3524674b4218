"""Keys and values as text and JSON, for `wiesel kafka produce` and `consume`."""

from __future__ import annotations

import json

import pytest

from wiesel.broker.produce import NewRecord
from wiesel.broker.records import Record
from wiesel.broker.transactions import parse_table
from wiesel.cli.kafka.formats import harmless, json_fields, record_of_json, record_to_json, to_bytes
from wiesel.core.errors import RecordError


@pytest.mark.parametrize(
    ("text", "form", "content"),
    [("ü", "string", "ü".encode()), ("caFF", "hex", b"\xca\xff"), ("yv8=", "base64", b"\xca\xff"), ("1", "json", b"1")],
)
def test_text_becomes_the_bytes_that_it_stands_for(text: str, form: str, content: bytes) -> None:
    assert to_bytes(text, form) == content


@pytest.mark.parametrize(("text", "form"), [("zz", "hex"), ("*", "base64"), ("{", "json"), ("[" * 100_000, "json")])
def test_text_of_another_format_is_refused(text: str, form: str) -> None:
    with pytest.raises(RecordError, match=f"is not {form}"):
        to_bytes(text, form)


@pytest.mark.parametrize("form", ["string", "json"])
def test_bytes_that_are_no_text_are_shown_as_base64(form: str) -> None:
    assert json_fields("value", b"\xca\xff", form) == {"value_base64": "yv8="}
    assert json_fields("value", None, form) == {"value": None}


@pytest.mark.parametrize("form", ["string", "json", "hex", "base64"])
@pytest.mark.parametrize("value", [b'{"a":1}', b"\xff\x00", b"", None])
def test_a_record_survives_being_written_as_json(form: str, value: bytes | None) -> None:
    record = Record("t", 3, 17, 1700000000000, b"key", value, [("h", b"\xff"), ("n", None)])
    line = record_to_json(record, "string", form)
    assert record_of_json(line, "string", form) == NewRecord(value, b"key", record.headers, timestamp=1700000000000)


@pytest.mark.parametrize("line", [b"", b"[]", b'{"value": "x", "headers": [1]}', b'{"value_base64": "*"}'])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(RecordError, match="is no record"):
        record_of_json(line, "string", "string")


def test_a_record_cannot_take_a_terminal_over() -> None:
    assert harmless(b"\x1b[2Jred\ttab \xff") == b"\\x1b[2Jred\ttab \\xff"


def test_a_nested_json_value_is_written_compactly() -> None:
    line = json.dumps({"value": {"a": [1, 2]}}).encode()
    assert record_of_json(line, "string", "json").value == b'{"a":[1,2]}'


def test_the_table_of_kafkas_tool_is_read_by_its_columns() -> None:
    text = "TransactionalId\tCoordinator\t\nopen-1         \t1          \t\n"
    assert parse_table(text) == [{"TransactionalId": "open-1", "Coordinator": "1"}]
    assert parse_table("\n") == []

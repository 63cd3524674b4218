"""The function that connectors call for each record does what ``serialize`` does, errors included."""

from __future__ import annotations

from typing import Any

import pytest

from wiesel.core.errors import TypeMismatchError
from wiesel.core.row import Row
from wiesel.core.serialization import ByteArraySchema, SerializationSchema, SimpleStringSchema
from wiesel.core.types import Types
from wiesel.formats.json import JsonRowSerializationSchema


class Text(str):
    """Text all the same."""


def json_rows() -> JsonRowSerializationSchema:
    types = [Types.STRING(), Types.BYTE(), Types.DOUBLE(), Types.SQL_DATE()]
    return (
        JsonRowSerializationSchema.builder().with_type_info(Types.ROW_NAMED(["t", "b", "'d", "{day}"], types)).build()
    )


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (SimpleStringSchema(), "Grüße"),
        (SimpleStringSchema("ISO-8859-1"), "€"),
        (SimpleStringSchema(), Text("x")),
        (SimpleStringSchema(), "\ud800"),
        (ByteArraySchema(), b"x"),
        (json_rows(), Row("x", 127, 1.5, None)),
        (json_rows(), Row(None, None, None, None)),
        (json_rows(), Row("x", 1, float("nan"), None)),
    ],
)
def test_it_gives_the_same_bytes(schema: SerializationSchema, value: Any) -> None:
    assert schema.bound()(value) == schema.serialize(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (SimpleStringSchema(), 1),
        (json_rows(), Row("x", 128, 1.5, None)),
        (json_rows(), Row("\ud800", 1, 1.5, None)),
        (json_rows(), Row("x", 1)),
        (json_rows(), "x"),
    ],
)
def test_it_refuses_with_the_same_words(schema: SerializationSchema, value: Any) -> None:
    with pytest.raises(TypeMismatchError) as expected:
        schema.serialize(value)
    with pytest.raises(TypeMismatchError) as caught:
        schema.bound()(value)
    assert str(caught.value) == str(expected.value)


def test_rows_are_written_by_the_place_of_their_fields() -> None:
    schema = JsonRowSerializationSchema.builder().with_type_info(Types.ROW_NAMED(["a", "b"], [Types.INT()] * 2)).build()
    assert schema.bound()(Row(b=2, a=1)) == b'{"a":1,"b":2}'
    assert schema.bound()(Row(x=1, y=2)) == b'{"a":1,"b":2}'

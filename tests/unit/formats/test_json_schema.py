import json

import pytest

from wiesel.core.errors import ConfigurationError
from wiesel.core.row import Row
from wiesel.core.types import RowTypeInfo, TypeInformation, Types
from wiesel.formats.json import JsonRowDeserializationSchema
from wiesel.formats.json_schema import type_of_json_schema


def type_of(schema: object) -> TypeInformation:
    return type_of_json_schema(json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, Types.STRING()),
        ({"type": "boolean"}, Types.BOOLEAN()),
        ({"type": "integer"}, Types.BIG_DEC()),
        ({"type": "number"}, Types.BIG_DEC()),
        ({"type": "string", "format": "date"}, Types.SQL_DATE()),
        ({"type": "string", "format": "time"}, Types.SQL_TIME()),
        ({"type": "string", "format": "date-time"}, Types.SQL_TIMESTAMP()),
        ({"type": "string", "format": "email"}, Types.STRING()),
        ({"type": "string", "contentEncoding": "base64"}, Types.PRIMITIVE_ARRAY(Types.BYTE())),
        ({"type": ["null", "string"]}, Types.STRING()),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, Types.STRING()),
        ({"type": "array", "items": {"type": "string"}}, Types.OBJECT_ARRAY(Types.STRING())),
        (
            {"type": "array", "items": [{"type": "string"}, {"type": "boolean"}]},
            Types.ROW([Types.STRING(), Types.BOOLEAN()]),
        ),
        ({"type": "object"}, Types.ROW([])),
    ],
)
def test_schemas_have_flink_s_types(schema: object, expected: TypeInformation) -> None:
    assert type_of(schema) == expected


def test_objects_become_named_rows_and_references_are_followed() -> None:
    found = type_of(
        {
            "definitions": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
            "type": "object",
            "properties": {"id": {"type": "integer"}, "from": {"$ref": "#/definitions/place"}},
        }
    )
    assert isinstance(found, RowTypeInfo)
    assert repr(found) == "RowTypeInfo(id: BigDecimal, from: RowTypeInfo(city: String))"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "nonsense"}, "Unsupported type 'nonsense' in <root>"),
        ({}, "No type could be found in <root>"),
        ({"type": "null"}, "describes null only"),
        ({"type": ["string", "boolean"]}, "union types"),
        ({"anyOf": [{"type": "string"}]}, "schemas with 'anyOf' are not supported"),
        ({"type": "array"}, "Arrays must specify 'items' in <root>"),
        ({"type": "object", "additionalProperties": True}, "must not allow additional properties"),
        ({"type": "string", "contentEncoding": "hex"}, "Invalid encoding 'hex'"),
        ({"$ref": "other.json"}, "only references within the document"),
        ({"$ref": "#/nowhere"}, "could not find reference"),
        ({"$ref": "#"}, "cyclic reference"),
        ({"type": "object", "properties": {"a": {"type": "null"}}}, "<root>/a is never anything but null"),
        (5, "<root> must be a JSON object"),
    ],
)
def test_what_has_no_type_is_refused_with_the_place(schema: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        type_of(schema)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Invalid JSON schema"):
        type_of_json_schema("{")


def test_the_builder_reads_rows_by_a_json_schema() -> None:
    schema = '{"type":"object","properties":{"n":{"type":"integer"},"s":{"type":"string"}}}'
    row = JsonRowDeserializationSchema.builder().json_schema(schema).build().deserialize(b'{"n":1,"s":"x"}')
    assert row == Row(n=1, s="x")
    with pytest.raises(TypeError, match="must not be None"):
        JsonRowDeserializationSchema.builder().json_schema(None)  # type: ignore[arg-type]

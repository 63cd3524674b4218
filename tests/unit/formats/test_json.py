"""JSON as Flink's JsonRow schemas write and read it."""

import datetime
import math
import pickle
from decimal import Decimal

import pytest

from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.core.row import Row
from wiesel.core.types import LocalTimeTypeInfo, Types
from wiesel.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

T = LocalTimeTypeInfo.TimeType
INT, STRING = Types.INT(), Types.STRING()


def reader(**fields) -> JsonRowDeserializationSchema:
    return (
        JsonRowDeserializationSchema.builder().type_info(Types.ROW_NAMED(list(fields), list(fields.values()))).build()
    )


def writer(**fields) -> JsonRowSerializationSchema:
    row_type = Types.ROW_NAMED(list(fields), list(fields.values()))
    return JsonRowSerializationSchema.builder().with_type_info(row_type).build()


# type, the value, its JSON in both directions
VALUES = [
    (STRING, 'é"\n', '"é\\"\\n"'),
    (Types.BOOLEAN(), True, "true"),
    (Types.BYTE(), -128, "-128"),
    (Types.SHORT(), 5, "5"),
    (INT, -5, "-5"),
    (Types.LONG(), 2**63 - 1, "9223372036854775807"),
    (Types.BIG_INT(), 5, "5"),
    (Types.FLOAT(), 0.10000000149011612, "0.1"),
    (Types.DOUBLE(), 0.5, "0.5"),
    (Types.BIG_DEC(), Decimal("1.5"), "1.5"),
    (Types.BIG_DEC(), Decimal("12345678901234567890"), "12345678901234567890"),
    (Types.CHAR(), "x", '"x"'),
    (Types.SQL_DATE(), datetime.date(2024, 2, 29), '"2024-02-29"'),
    (Types.SQL_TIME(), datetime.time(13, 45), '"13:45:00Z"'),
    (Types.SQL_TIMESTAMP(), datetime.datetime(2024, 2, 29, 13, 45), '"2024-02-29T13:45:00Z"'),
    (Types.SQL_TIMESTAMP(), datetime.datetime(2024, 2, 29, 13, 45, 0, 120000), '"2024-02-29T13:45:00.12Z"'),
    (LocalTimeTypeInfo(T.LOCAL_DATE), datetime.date(2024, 2, 29), '"2024-02-29"'),
    (LocalTimeTypeInfo(T.LOCAL_TIME), datetime.time(13, 45), '"13:45:00Z"'),
    (LocalTimeTypeInfo(T.LOCAL_DATE_TIME), datetime.datetime(2024, 2, 29, 1, 2, 3, 5), '"2024-02-29T01:02:03.000005Z"'),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), b"ab", '"YWI="'),
    (Types.PRIMITIVE_ARRAY(INT), [1, 2], "[1,2]"),
    (Types.BASIC_ARRAY(STRING), ["a", None], '["a",null]'),
    (Types.OBJECT_ARRAY(Types.SQL_DATE()), [datetime.date(2024, 2, 29)], '["2024-02-29"]'),
    (Types.LIST(INT), [1], "[1]"),
    (Types.MAP(STRING, Types.LONG()), {"a": 1, "b": None}, '{"a":1,"b":null}'),
    (Types.ROW_NAMED(["x", "y"], [INT, STRING]), Row(x=1, y=None), '{"x":1,"y":null}'),
    (Types.OBJECT_ARRAY(Types.ROW_NAMED(["x"], [INT])), [Row(x=1)], '[{"x":1}]'),
    (INT, None, "null"),
]


@pytest.mark.parametrize(("type_info", "value", "text"), VALUES)
def test_values_of_every_type_are_written_and_read(type_info, value, text: str) -> None:
    data = f'{{"f":{text}}}'.encode()
    assert writer(f=type_info).serialize(Row(value)) == data
    row = reader(f=type_info).deserialize(data)
    assert row == Row(f=value)
    assert repr(row) == repr(Row(f=value))


def test_properties_keep_the_order_of_the_type() -> None:
    schema = writer(b=INT, a=STRING)
    assert schema.serialize(Row(a="x", b=1)) == schema.serialize(Row(1, "x")) == b'{"b":1,"a":"x"}'


def test_rows_of_other_names_are_written_by_position() -> None:
    schema = writer(a=INT, b=Types.STRING())
    assert schema.serialize(Row(x=1, y="one")) == b'{"a":1,"b":"one"}'
    assert schema.serialize(Row(b="one", a=1)) == b'{"a":1,"b":"one"}'


def test_numbers_that_json_does_not_have_are_written_as_their_names() -> None:
    schema = writer(d=Types.DOUBLE(), f=Types.FLOAT())
    assert schema.serialize(Row(math.nan, math.inf)) == b'{"d":"NaN","f":"Infinity"}'
    assert schema.serialize(Row(-math.inf, 1.0)) == b'{"d":"-Infinity","f":1.0}'


def test_written_values_are_coerced_first() -> None:
    assert writer(i=INT, s=Types.SHORT()).serialize(Row(1.7, True)) == b'{"i":1,"s":1}'


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row("x"), "field i: Expected a whole number of 32 bits"),
        (Row(2**31), "out of range"),
        ({"i": 1}, "Expected Row for .*got dict"),
        (Row(j="x"), "field i: Expected a whole number of 32 bits"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_value(row, message: str) -> None:
    with pytest.raises(TypeMismatchError, match=f"Could not serialize .*{message}.*schema matches the input"):
        writer(i=INT).serialize(row)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(TypeMismatchError, match="surrogate"):
        writer(s=STRING).serialize(Row("\ud800"))


# type, JSON, what Flink reads
LENIENT = [
    (INT, '" 12 "', 12),
    (INT, "1.7", 1),
    (Types.LONG(), "1e3", 1000),
    (Types.DOUBLE(), "1", 1.0),
    (Types.DOUBLE(), '"1.5"', 1.5),
    (Types.FLOAT(), '"0.1"', 0.10000000149011612),
    (Types.BOOLEAN(), '"TRUE"', True),
    (Types.BOOLEAN(), "1", False),
    (STRING, "1.50", "1.5"),
    (STRING, "true", "true"),
    (STRING, '{"a": [1, "x"]}', '{"a":[1,"x"]}'),
    (Types.BIG_DEC(), '"1.50"', Decimal("1.50")),
    (Types.BIG_DEC(), "1e2", Decimal("1E+2")),
    (Types.BIG_DEC(), "1.50", Decimal("1.5")),
    (Types.BIG_DEC(), "-0.0", Decimal(0)),
    (Types.BIG_DEC(), "0.12345678901234567890", Decimal("0.1234567890123456789")),
    (Types.BIG_DEC(), "12345678901234567890.5", Decimal("12345678901234567890.5")),
    (Types.BIG_DEC(), "1e400", Decimal("1E+400")),
    (Types.DOUBLE(), "1e400", math.inf),
    (STRING, "0.12345678901234567890", "0.12345678901234568"),
    (STRING, "1e2", "100.0"),
    (Types.SHORT(), '"7"', 7),
    (Types.SQL_TIMESTAMP(), '"2024-02-29T13:45:00.123456789Z"', datetime.datetime(2024, 2, 29, 13, 45, 0, 123000)),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), "5", None),
]


@pytest.mark.parametrize(("type_info", "text", "value"), LENIENT)
def test_reading_is_as_lenient_as_flink(type_info, text: str, value) -> None:
    row = reader(f=type_info).deserialize(f'{{"f":{text}}}'.encode())
    assert repr(row) == repr(Row(f=value))


# type, JSON, what is said about it
REFUSED = [
    (INT, '"x"', 'f: expected INT, got "x"'),
    (INT, "2147483648", "f: expected INT, got 2147483648"),
    (INT, "true", "f: expected INT"),
    (INT, "[1]", "f: expected INT"),
    (Types.SHORT(), "1.0", "f: expected SHORT"),
    (Types.BYTE(), "128", "f: expected BYTE"),
    (Types.DOUBLE(), '"x"', "f: expected DOUBLE"),
    (Types.BIG_DEC(), '"x"', "f: expected BIG_DEC"),
    (Types.CHAR(), '"xy"', "one character"),
    (Types.SQL_DATE(), '"29.2.2024"', "f: expected a date such as 2024-02-29"),
    (Types.SQL_DATE(), '"2024-02-30"', "day is out of range"),
    (Types.SQL_TIME(), '"13:45:00"', "f: expected a UTC time"),
    (Types.SQL_TIMESTAMP(), '"2024-02-29T13:45:00"', "f: expected a UTC timestamp"),
    (Types.SQL_TIMESTAMP(), '"2024-02-29T13:45:00+00:00"', "f: expected a UTC timestamp"),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), '"?"', "f: expected base64"),
    (Types.BASIC_ARRAY(INT), '["x"]', "f: element: expected INT"),
    (Types.LIST(INT), "[null]", "element 0"),
    (Types.BASIC_ARRAY(INT), "5", "f: expected a JSON array"),
    (Types.MAP(STRING, INT), "5", "f: expected a JSON object"),
    (Types.ROW_NAMED(["x"], [INT]), '{"x":"y"}', "f: x: expected INT"),
    (Types.ROW_NAMED(["x"], [INT]), "[1]", "f: expected a JSON object"),
]


@pytest.mark.parametrize(("type_info", "text", "message"), REFUSED)
def test_what_does_not_fit_is_refused_with_bytes_and_field(type_info, text: str, message: str) -> None:
    data = f'{{"f":{text}}}'.encode()
    with pytest.raises(RecordError) as raised:
        reader(f=type_info).deserialize(data)
    assert str(raised.value).startswith('Failed to deserialize JSON \'{"f":')
    assert message in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"nojson", b"[1]", b'"x"', b'{"f":1', b'{"f":1} x', b'{"f":"\xff"}'])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError, match="Failed to deserialize JSON"):
        reader(f=INT).deserialize(data)


def test_a_record_without_value_is_refused() -> None:
    with pytest.raises(RecordError, match="tombstone"):
        reader(f=INT).deserialize(None)


def test_null_is_no_record() -> None:
    assert reader(f=INT).deserialize(b"null") is None


def test_offending_bytes_are_cut_and_secrets_in_them_hidden() -> None:
    with pytest.raises(RecordError) as raised:
        reader(f=INT).deserialize(b'{"password": "hunter2", "f": "' + b"x" * 5000 + b'"}')
    assert "hunter2" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_unnamed_properties_are_skipped_and_missing_ones_are_none() -> None:
    assert reader(a=INT, b=STRING).deserialize(b'{"z":{"y":1},"a":1}') == Row(a=1, b=None)


def test_missing_property_is_an_error_when_asked_for() -> None:
    row_type = Types.ROW_NAMED(["a", "b"], [INT, Types.ROW_NAMED(["c"], [INT])])
    schema = JsonRowDeserializationSchema.builder().type_info(row_type).fail_on_missing_field().build()
    assert schema.deserialize(b'{"a":null,"b":{"c":1}}') == Row(a=None, b=Row(c=1))
    with pytest.raises(RecordError, match="Could not find field with name 'b'"):
        schema.deserialize(b'{"a":1}')
    with pytest.raises(RecordError, match="b: Could not find field with name 'c'"):
        schema.deserialize(b'{"a":1,"b":{}}')


def test_errors_are_ignored_when_asked_for() -> None:
    row_type = Types.ROW_NAMED(["a", "b"], [INT, Types.SQL_DATE()])
    schema = JsonRowDeserializationSchema.builder().type_info(row_type).ignore_parse_errors().build()
    batch = [b'{"a":"x","b":"2024-02-29"}', b"nojson", None, b'{"a":1,"b":"x"}']
    assert schema.deserialize_batch(batch) == [
        Row(a=None, b=datetime.date(2024, 2, 29)),
        None,
        None,
        Row(a=1, b=None),
    ]


def test_a_batch_names_the_record_that_is_wrong() -> None:
    schema = reader(f=INT)
    assert schema.deserialize_batch([b'{"f":1}', b'{"f":2}']) == [Row(f=1), Row(f=2)]
    with pytest.raises(RecordError, match=r'Failed to deserialize JSON \'\{"f":"x"\}\''):
        schema.deserialize_batch([b'{"f":1}', b'{"f":"x"}'])


def test_schemas_survive_pickle_after_use() -> None:
    read, write = reader(f=INT), writer(f=INT)
    assert read.deserialize(b'{"f":1}') == Row(f=1)
    assert write.serialize(Row(1)) == b'{"f":1}'
    assert pickle.loads(pickle.dumps(read)).deserialize(b'{"f":2}') == Row(f=2)
    assert pickle.loads(pickle.dumps(write)).serialize(Row(2)) == b'{"f":2}'


def test_builders_say_what_is_missing_or_contradictory() -> None:
    with pytest.raises(TypeError, match=r"call type_info\(\) or json_schema\(\)"):
        JsonRowDeserializationSchema.builder().build()
    with pytest.raises(TypeError, match=r"call with_type_info\(\)"):
        JsonRowSerializationSchema.builder().build()
    with pytest.raises(TypeError, match="take a ROW type, not String"):
        JsonRowDeserializationSchema.builder().type_info(STRING).build()
    builder = JsonRowDeserializationSchema.builder().type_info(Types.ROW([INT]))
    with pytest.raises(ValueError, match="cannot both be asked for"):
        builder.fail_on_missing_field().ignore_parse_errors().build()


@pytest.mark.parametrize("type_info", [Types.PICKLED_BYTE_ARRAY(), Types.TUPLE([INT]), Types.INSTANT()])
def test_types_without_json_are_refused_when_the_schema_is_built(type_info) -> None:
    with pytest.raises(TypeError, match="JSON has no values of"):
        reader(f=type_info)
    with pytest.raises(TypeError, match="JSON has no values of"):
        writer(f=type_info)


def test_field_names_need_not_be_identifiers() -> None:
    row_type = Types.ROW_NAMED(["a b", "class", "ü"], [INT, INT, INT])
    row = (
        JsonRowDeserializationSchema.builder()
        .type_info(row_type)
        .build()
        .deserialize(b'{"a b":1,"class":2,"\xc3\xbc":3}')
    )
    assert list(row) == [1, 2, 3]
    assert JsonRowSerializationSchema(row_type).serialize(row) == '{"a b":1,"class":2,"ü":3}'.encode()


def test_rows_of_many_different_shapes_are_written_alike() -> None:
    fields = {f"f{i}": INT for i in range(8)}
    schema = writer(**fields)
    for bits in range(256):
        row = Row(*[None if bits >> i & 1 else i for i in range(8)])
        assert reader(**fields).deserialize(schema.serialize(row)) == Row(**dict(zip(fields, row, strict=True)))

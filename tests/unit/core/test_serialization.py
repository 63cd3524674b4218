import io
import pickle

import pytest

from wiesel.core.errors import RecordError, TypeMismatchError, UnsupportedError
from wiesel.core.row import Row
from wiesel.core.serialization import (
    ByteArraySchema,
    DeserializationSchema,
    Encoder,
    RowFieldExtractorSchema,
    SerializationSchema,
    SimpleStringSchema,
)
from wiesel.core.types import Types


def test_text_goes_to_utf_8_and_back() -> None:
    schema = SimpleStringSchema()
    assert schema.serialize("é") == b"\xc3\xa9"
    assert schema.deserialize(b"\xc3\xa9") == "é"
    assert schema.deserialize_batch([b"a", b"", b"b"]) == ["a", "", "b"]
    assert schema.produced_type() == Types.STRING()


def test_malformed_bytes_and_missing_characters_are_replaced_as_in_java() -> None:
    assert SimpleStringSchema().deserialize(b"a\xff") == "a\ufffd"
    assert SimpleStringSchema("ISO-8859-1").serialize("€é") == b"?\xe9"
    assert SimpleStringSchema("US-ASCII").deserialize(b"a") == "a"


def test_unknown_charset_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="Unknown charset 'UTF-99'"):
        SimpleStringSchema("UTF-99")


def test_value_that_is_no_text_is_refused_with_the_way_out() -> None:
    with pytest.raises(TypeMismatchError, match=r"takes str, got dict: \{'a': 1\}.*JsonRowSerializationSchema"):
        SimpleStringSchema().serialize({"a": 1})


def test_record_without_value_fails_as_text_and_is_none_as_bytes() -> None:
    with pytest.raises(RecordError, match="tombstone"):
        SimpleStringSchema().deserialize(None)
    with pytest.raises(RecordError, match="tombstone"):
        SimpleStringSchema().deserialize_batch([b"a", None])
    assert ByteArraySchema().deserialize_batch([b"a", None]) == [b"a", None]


def test_bytes_stay_bytes() -> None:
    assert ByteArraySchema().serialize(bytearray(b"ab")) == b"ab"
    assert ByteArraySchema().produced_type() == Types.PRIMITIVE_ARRAY(Types.BYTE())
    with pytest.raises(TypeMismatchError, match="takes bytes, got str"):
        ByteArraySchema().serialize("ab")


def test_one_field_of_a_row_is_extracted() -> None:
    schema = RowFieldExtractorSchema(1)
    assert schema.serialize(Row("x", b"key")) == b"key"
    assert schema.serialize(Row(a=1, b=None)) is None
    with pytest.raises(TypeMismatchError, match="Field 1 must be bytes, got str"):
        schema.serialize(Row(b"x", "y"))
    with pytest.raises(TypeMismatchError, match="takes a Row with more than 1 fields"):
        schema.serialize((b"x", b"y"))
    with pytest.raises(ValueError, match="non-negative"):
        RowFieldExtractorSchema(-1)


def test_encoder_writes_a_line_for_each_value() -> None:
    stream = io.BytesIO()
    write = Encoder.simple_string_encoder().bind(Types.TUPLE([Types.INT(), Types.STRING()]), stream)
    write((1, "é"))
    write((2, "b"))
    assert stream.getvalue() == "(1,é)\n(2,b)\n".encode()


def test_schemas_survive_pickle() -> None:
    assert pickle.loads(pickle.dumps(SimpleStringSchema("UTF-16"))).deserialize("x".encode("utf-16")) == "x"


def test_a_schema_of_one_s_own_needs_its_method() -> None:
    with pytest.raises(UnsupportedError, match="has no serialize"):
        SerializationSchema().serialize(1)
    with pytest.raises(UnsupportedError, match="has no deserialize"):
        DeserializationSchema().deserialize(b"")
    with pytest.raises(UnsupportedError, match="no Java"):
        SerializationSchema(object())
    assert DeserializationSchema().produced_type() == Types.PICKLED_BYTE_ARRAY()

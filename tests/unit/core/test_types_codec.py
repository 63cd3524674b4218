"""The stored layout: these bytes are in checkpoints, so a change here needs a new LAYOUT_VERSION."""

import datetime
from decimal import Decimal

import pytest

from wiesel.core.errors import TypeMismatchError
from wiesel.core.row import Row, RowKind
from wiesel.core.time import Instant
from wiesel.core.types import LocalTimeTypeInfo, Types

T = LocalTimeTypeInfo.TimeType
INT, STRING = Types.INT(), Types.STRING()

LAYOUT = [
    (Types.BOOLEAN(), True, "01"),
    (Types.BYTE(), -1, "ff"),
    (Types.SHORT(), 258, "0102"),
    (INT, -2, "fffffffe"),
    (Types.LONG(), 1, "0000000000000001"),
    (Types.BIG_INT(), 1, "0000000000000001"),
    (Types.FLOAT(), 1.0, "3f800000"),
    (Types.DOUBLE(), 1.0, "3ff0000000000000"),
    (STRING, "é", "c3a9"),
    (Types.CHAR(), "x", "0178"),
    (Types.BIG_DEC(), Decimal("1.50"), "04312e3530"),
    (Types.INSTANT(), Instant(1, 2), "000000000000000100000002"),
    (Types.SQL_DATE(), datetime.date(1970, 1, 2), "00000001"),
    (Types.SQL_TIME(), datetime.time(0, 0, 1), "000003e8"),
    (Types.SQL_TIMESTAMP(), datetime.datetime(1970, 1, 1, 0, 0, 1), "00000000000003e8"),
    (LocalTimeTypeInfo(T.LOCAL_DATE), datetime.date(1970, 1, 2), "00000001"),
    (LocalTimeTypeInfo(T.LOCAL_TIME), datetime.time(0, 0, 0, 5), "0000000000000005"),
    (LocalTimeTypeInfo(T.LOCAL_DATE_TIME), datetime.datetime(1970, 1, 1, 0, 0, 0, 5), "0000000000000005"),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), b"ab", "6162"),
    (Types.PRIMITIVE_ARRAY(INT), [1, 2], "020000000100000002"),
    (Types.LIST(STRING), ["a", "bc"], "020161026263"),
    (Types.BASIC_ARRAY(INT), [None, 2], "020100000002"),
    (Types.OBJECT_ARRAY(STRING), ["a"], "01000161"),
    (Types.MAP(STRING, INT), {"a": 1, "b": None}, "0201610000000001016201"),
    (Types.TUPLE([INT, STRING]), (1, "a"), "000000010161"),
    (Types.ROW_NAMED(["a", "b"], [INT, STRING]), Row(a=None, b="a"), "00010161"),
    (Types.ROW([INT]), Row.of_kind(RowKind.DELETE, f0=1), "030000000001"),
    (Types.TUPLE([Types.PRIMITIVE_ARRAY(Types.BYTE())]), (b"ab",), "026162"),
]


@pytest.mark.parametrize(("type_info", "value", "data"), LAYOUT)
def test_values_are_stored_in_the_documented_layout(type_info, value, data: str) -> None:
    assert type_info.encode(value).hex() == data
    assert type_info.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(("type_info", "value", "data"), [row for row in LAYOUT if row[0] != STRING])
def test_shortened_and_lengthened_bytes_are_refused_or_differ(type_info, value, data: str) -> None:
    for wrong in (bytes.fromhex(data)[:-1], bytes.fromhex(data) + b"\0"):
        try:
            assert type_info.decode(wrong) != value
        except ValueError:
            pass


def test_untyped_values_are_pickled_whole_and_inside_others() -> None:
    untyped = Types.PICKLED_BYTE_ARRAY()
    for value in (None, {"a": [1]}, Row(a=1), {1, 2}):
        assert untyped.decode(untyped.encode(value)) == value
        pair = Types.TUPLE([untyped, INT])
        assert pair.decode(pair.encode((value, 1))) == (value, 1)


def test_a_row_of_many_fields_has_one_null_bit_for_each() -> None:
    kind = Types.ROW([INT] * 20)
    row = Row(*[None if i % 3 else i for i in range(20)])
    assert kind.decode(kind.encode(row)) == kind.coerce(row)


def test_varints_hold_long_texts() -> None:
    pair = Types.TUPLE([STRING, STRING])
    for length in (0, 127, 128, 16383, 16384, 100_000):
        assert pair.decode(pair.encode(("x" * length, "y"))) == ("x" * length, "y")


def test_a_value_of_another_type_is_never_stored() -> None:
    with pytest.raises(TypeMismatchError, match="field 0: Expected a whole number"):
        Types.TUPLE([INT]).encode(("x",))
    with pytest.raises(TypeMismatchError, match="lone surrogate"):
        STRING.encode("\ud800")
    assert INT.encode(1.7) == INT.encode(1)

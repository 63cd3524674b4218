"""What PyFlink 2.3 and Java 17 print for typed values; the untyped ones are Python's own."""

import datetime
import struct
from decimal import Decimal

import pytest

from wiesel.core.errors import TypeMismatchError
from wiesel.core.java_text import double_text, float_text, java_text, printer
from wiesel.core.row import Row
from wiesel.core.time import Instant
from wiesel.core.types import LocalTimeTypeInfo, Types

T = LocalTimeTypeInfo.TimeType
INT, STRING = Types.INT(), Types.STRING()


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("444b1ae4d6e2ef50", "1.0E21"),
        ("3ff0000000000000", "1.0"),
        ("3f50624dd2f1a9fc", "0.001"),
        ("3f50385c67dfe32a", "9.9E-4"),
        ("416312d000000000", "1.0E7"),
        ("416312cfe0000000", "9999999.0"),
        ("41678c29dccccccd", "1.23456789E7"),
        ("8000000000000000", "-0.0"),
        ("405edd2f1a9fbe77", "123.456"),
        ("3ee4f8b588e368f1", "1.0E-5"),
        ("0000000000000001", "4.9E-324"),
        ("7fefffffffffffff", "1.7976931348623157E308"),
        ("421bf08eb0000000", "3.0E10"),
        ("0000000000000004", "2.0E-323"),
        ("7ff0000000000000", "Infinity"),
        ("fff0000000000000", "-Infinity"),
        ("7ff8000000000000", "NaN"),
    ],
)
def test_doubles_print_as_in_java(bits: str, text: str) -> None:
    assert double_text(struct.unpack(">d", bytes.fromhex(bits))[0]) == text


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("3f8ccccd", "1.1"),
        ("3dcccccd", "0.1"),
        ("7f7fffff", "3.4028235E38"),
        ("00000001", "1.4E-45"),
        ("4b800000", "1.6777216E7"),
        ("501502f9", "1.0E10"),
        ("80000000", "-0.0"),
        ("4b189680", "1.0E7"),
        ("380a697b", "3.3E-5"),
        ("47f12065", "123456.79"),
    ],
)
def test_floats_print_as_in_java(bits: str, text: str) -> None:
    assert float_text(struct.unpack(">f", bytes.fromhex(bits))[0]) == text


@pytest.mark.parametrize(
    ("value", "type_info", "text"),
    [
        ((1, "a"), Types.TUPLE([INT, STRING]), "(1,a)"),
        (Row(1, "x"), Types.ROW([INT, STRING]), "+I[1,x]"),
        (Row(a=1, b="x"), Types.ROW_NAMED(["a", "b"], [INT, STRING]), "+I[1,x]"),
        ({"k": 1}, Types.MAP(STRING, INT), "{k=1}"),
        (True, Types.BOOLEAN(), "true"),
        (1.0, Types.DOUBLE(), "1.0"),
        (1, Types.DOUBLE(), "1.0"),
        (1.1, Types.FLOAT(), "1.1"),
        ([1, 2], Types.LIST(INT), "[1, 2]"),
        (1e21, Types.DOUBLE(), "1.0E21"),
        (1.7, INT, "1"),
        ((1, "a"), Types.PICKLED_BYTE_ARRAY(), "(1, 'a')"),
        ({"k": 1}, Types.PICKLED_BYTE_ARRAY(), "{'k': 1}"),
        (Row(1, "x"), Types.PICKLED_BYTE_ARRAY(), "<Row(1, 'x')>"),
        (Row(a=1, b="x"), Types.PICKLED_BYTE_ARRAY(), "Row(a=1, b='x')"),
        (None, Types.PICKLED_BYTE_ARRAY(), "None"),
        ("s", Types.PICKLED_BYTE_ARRAY(), "s"),
        (True, Types.PICKLED_BYTE_ARRAY(), "True"),
        (datetime.datetime(2020, 1, 1), Types.PICKLED_BYTE_ARRAY(), "2020-01-01 00:00:00"),
    ],
)
def test_records_print_as_pyflink_printed_them(value, type_info, text: str) -> None:
    assert printer(type_info)(value) == text


@pytest.mark.parametrize(
    ("value", "type_info"),
    [
        (b"ab", Types.PICKLED_BYTE_ARRAY()),
        ((1, "x"), Types.ROW([INT, STRING])),
        (None, STRING),
        (5, STRING),
        ("x", INT),
        (2**40, INT),
        (2**70, Types.LONG()),
    ],
)
def test_records_that_pyflink_could_not_print_are_refused(value, type_info) -> None:
    with pytest.raises(TypeMismatchError, match=r"^Expected .*got"):
        printer(type_info)(value)


def test_row_prints_its_fields_uncoerced_with_python_s_own_text() -> None:
    assert printer(Types.ROW([INT, Types.BOOLEAN()]))(Row(1.7, None)) == "+I[1.7,None]"


def test_arrays_print_class_and_hash_but_their_contents_inside_a_tuple() -> None:
    data = Types.PRIMITIVE_ARRAY(Types.BYTE())
    assert printer(data)(b"ab").startswith("[B@")
    assert printer(Types.BASIC_ARRAY(INT))([1]).startswith("[Ljava.lang.Integer;@")
    assert printer(Types.TUPLE([data, Types.BASIC_ARRAY(INT)]))((b"a\xff", [1, None])) == "([97, -1],[1, null])"


def test_nested_row_prints_in_java_style() -> None:
    row = Types.ROW([INT, STRING])
    assert java_text((row.coerce(Row(1, None)),), Types.TUPLE([row])) == "(+I[1, null])"
    arrays = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(INT)])
    assert java_text(arrays.coerce(Row(b"a", [1])), arrays) == "+I[[97], [1]]"


@pytest.mark.parametrize(
    ("value", "type_info", "text"),
    [
        (datetime.datetime(2024, 2, 29, 1, 2, 3, 400000), Types.SQL_TIMESTAMP(), "2024-02-29 01:02:03.4"),
        (datetime.datetime(2024, 2, 29, 1, 2, 3), Types.SQL_TIMESTAMP(), "2024-02-29 01:02:03.0"),
        (datetime.time(1, 2, 3, 4000), Types.SQL_TIME(), "01:02:03"),
        (datetime.date(2024, 2, 29), Types.SQL_DATE(), "2024-02-29"),
        (Instant(5, 120_000_000), Types.INSTANT(), "1970-01-01T00:00:05.120Z"),
        (Instant(0, 0), Types.INSTANT(), "1970-01-01T00:00:00Z"),
        (Instant(253402300800, 1), Types.INSTANT(), "+10000-01-01T00:00:00.000000001Z"),
        (Instant(-62198755200, 0), Types.INSTANT(), "-0001-01-01T00:00:00Z"),
        (datetime.time(1, 2), LocalTimeTypeInfo(T.LOCAL_TIME), "01:02"),
        (datetime.time(1, 2, 0, 1), LocalTimeTypeInfo(T.LOCAL_TIME), "01:02:00.000001"),
        (
            datetime.datetime(2024, 2, 29, 1, 2, 3, 450000),
            LocalTimeTypeInfo(T.LOCAL_DATE_TIME),
            "2024-02-29T01:02:03.450",
        ),
        (Decimal("1E+3"), Types.BIG_DEC(), "1E+3"),
        (Decimal("1.50"), Types.BIG_DEC(), "1.50"),
        (Decimal("1E-7"), Types.BIG_DEC(), "1E-7"),
        (Decimal("0.000001"), Types.BIG_DEC(), "0.000001"),
    ],
)
def test_dates_times_and_decimals_print_as_in_java(value, type_info, text: str) -> None:
    assert printer(type_info)(value) == text

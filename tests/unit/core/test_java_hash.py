"""Goldens printed by Java 17; those of rows and key groups by PyFlink 2.3 (test_key_groups.py)."""

import datetime
from decimal import Decimal

import pytest

from wiesel.core import java_hash
from wiesel.core.row import Row
from wiesel.core.types import LocalTimeTypeInfo, Types

T = LocalTimeTypeInfo.TimeType


@pytest.mark.parametrize(
    ("type_info", "value", "expected"),
    [
        (Types.STRING(), "grüße 😀", 347379084),
        (Types.STRING(), "", 0),
        (Types.STRING(), "hello", 99162322),
        (Types.LONG(), -7, 6),
        (Types.LONG(), 1 << 40, 256),
        (Types.INT(), -7, -7),
        (Types.BOOLEAN(), True, 1231),
        (Types.BOOLEAN(), False, 1237),
        (Types.DOUBLE(), 1.0, 1072693248),
        (Types.DOUBLE(), 0.1, -1507852285),
        (Types.DOUBLE(), -0.0, -2147483648),
        (Types.DOUBLE(), 5e-324, 1),
        (Types.DOUBLE(), float("nan"), 2146959360),
        (Types.FLOAT(), 1.100000023841858, 1066192077),
        (Types.FLOAT(), 0.0, 0),
        (Types.FLOAT(), -0.0, -2147483648),
        (Types.BIG_DEC(), Decimal("-1234.500"), -38269497),
        (Types.BIG_DEC(), Decimal("1E+3"), 28),
        (Types.BIG_DEC(), Decimal("123456789012345678901234567890.12"), -1747325893),
        (Types.SQL_TIMESTAMP(), datetime.datetime(2024, 2, 29, 1, 2, 3, 456000), -228460211),
        (Types.SQL_DATE(), datetime.date(2024, 2, 29), -232183411),
        (Types.SQL_TIME(), datetime.time(1, 2, 3), 3723000),
        (LocalTimeTypeInfo(T.LOCAL_DATE), datetime.date(2024, 2, 29), 4145309),
        (LocalTimeTypeInfo(T.LOCAL_TIME), datetime.time(23, 59, 58, 123), 437977836),
        (LocalTimeTypeInfo(T.LOCAL_DATE_TIME), datetime.datetime(2024, 2, 29, 1, 2, 3), -735515137),
        (Types.MAP(Types.STRING(), Types.INT()), {"k": 1}, 106),
        (Types.PRIMITIVE_ARRAY(Types.BYTE()), b"\x80\x05a", -92965),
        (Types.LIST(Types.INT()), [], 1),
    ],
)
def test_hash_is_java_s(type_info, value, expected: int) -> None:
    assert type_info.java_hash(value) == expected & 0xFFFFFFFF


def test_big_integer_hash_covers_many_words() -> None:
    assert java_hash.big_integer_hash(-123456789012345678901234567890) == -1915528825 & 0xFFFFFFFF


def test_instant_hash_is_java_s() -> None:
    assert java_hash.instant_hash(-5, 123456789) == 2001328947


def test_long_texts_hash_like_short_ones() -> None:
    text, expected = "abc" * 1000, 0
    for character in text:
        expected = (31 * expected + ord(character)) & 0xFFFFFFFF
    assert java_hash.string_hash(text) == expected
    assert java_hash.string_hash("ab") == 31 * ord("a") + ord("b"), "a longer one before must not shift the powers"


def test_tuple_starts_from_its_first_field_and_row_from_its_kind() -> None:
    pair = Types.TUPLE([Types.INT(), Types.INT()])
    assert pair.java_hash((3, 4)) == 31 * 3 + 4
    row = Types.ROW([Types.INT(), Types.STRING()])
    assert row.java_hash(row.coerce(Row(5, None))) == 31 * (31 * 1 + 31 + 5) + 0

"""What a serialisation boundary does to values (surprises 8, 11 and 12 of PyFlink 2.3)."""

import datetime
import math
import pickle
from decimal import Decimal

import pytest

from wiesel.core.errors import TypeMismatchError, UnsupportedError
from wiesel.core.row import Row, RowKind
from wiesel.core.time import Instant
from wiesel.core.types import (
    BasicTypeInfo,
    ExternalTypeInfo,
    ListTypeInfo,
    LocalTimeTypeInfo,
    RowTypeInfo,
    TypeInformation,
    Types,
)

T = LocalTimeTypeInfo.TimeType
INT, STRING = Types.INT(), Types.STRING()
NAMED = Types.ROW_NAMED(["a", "b"], [INT, STRING])
NOON = datetime.datetime(2024, 2, 29, 12, 0, 0, 123456)
ZONE = datetime.timezone(datetime.timedelta(hours=2))

REPRS = [
    (STRING, "String"),
    (INT, "Integer"),
    (Types.CHAR(), "Char"),
    (Types.BIG_INT(), "BigInteger"),
    (Types.BIG_DEC(), "BigDecimal"),
    (Types.INSTANT(), "Instant"),
    (Types.SQL_DATE(), "DateTypeInfo"),
    (Types.SQL_TIME(), "TimeTypeInfo"),
    (Types.SQL_TIMESTAMP(), "TimestampTypeInfo"),
    (Types.PICKLED_BYTE_ARRAY(), "PickledByteArrayTypeInfo"),
    (Types.ROW([INT, STRING]), "RowTypeInfo(Integer, String)"),
    (NAMED, "RowTypeInfo(a: Integer, b: String)"),
    (Types.TUPLE([INT, STRING]), "TupleTypeInfo(Integer, String)"),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), "PrimitiveArrayTypeInfo<Byte>"),
    (Types.BASIC_ARRAY(INT), "BasicArrayTypeInfo<Integer>"),
    (Types.OBJECT_ARRAY(NAMED), "ObjectArrayTypeInfo<RowTypeInfo(a: Integer, b: String)>"),
    (Types.MAP(STRING, INT), "MapTypeInfo<String, Integer>"),
    (Types.LIST(INT), "ListTypeInfo<Integer>"),
    (LocalTimeTypeInfo(T.LOCAL_DATE), "LocalTimeTypeInfo<LOCAL_DATE>"),
    (ExternalTypeInfo(NAMED), "ExternalTypeInfo<RowTypeInfo(a: Integer, b: String)>"),
]


@pytest.mark.parametrize(("type_info", "text"), REPRS)
def test_types_print_as_in_pyflink(type_info: TypeInformation, text: str) -> None:
    assert repr(type_info) == text


@pytest.mark.parametrize("type_info", [kind for kind, _ in REPRS])
def test_types_equal_only_their_like_and_survive_pickle(type_info: TypeInformation) -> None:
    equals = [other for other, _ in REPRS if other == type_info]
    expected = 2 if type(type_info) is RowTypeInfo else 1  # names are no part of a row's type
    assert len(equals) == expected
    again = pickle.loads(pickle.dumps(type_info))
    assert again == type_info
    assert hash(again) == hash(type_info)
    assert repr(again) == repr(type_info)


def test_a_used_type_can_still_be_pickled() -> None:
    NAMED.encode(Row(1, "x"))
    assert pickle.loads(pickle.dumps(NAMED)).encode(Row(1, "x")) == NAMED.encode(Row(1, "x"))


def test_rows_know_names_types_and_positions_of_their_fields() -> None:
    assert NAMED.get_field_names() == ["a", "b"]
    assert NAMED.get_field_types() == [INT, STRING]
    assert NAMED.get_field_index("b") == 1
    assert Types.ROW([INT, STRING]).get_field_names() == ["f0", "f1"]
    assert Types.ROW([INT, STRING]).get_field_index("f0") == -1
    with pytest.raises(ValueError, match="1 names for 2 types"):
        Types.ROW_NAMED(["a"], [INT, STRING])


def test_list_type_shows_its_element_type() -> None:
    kind = Types.LIST(INT)
    assert isinstance(kind, ListTypeInfo)
    assert kind.elem_type == INT


COERCED = [
    (INT, 1.7, 1),
    (INT, -1.7, -1),
    (INT, True, 1),
    (INT, Decimal("2.9"), 2),
    (Types.LONG(), 2**63 - 1, 2**63 - 1),
    (Types.BIG_INT(), -(2**63), -(2**63)),
    (Types.BYTE(), -128, -128),
    (Types.BOOLEAN(), 1, True),
    (Types.BOOLEAN(), 0, False),
    (Types.DOUBLE(), 1, 1.0),
    (Types.DOUBLE(), Decimal("0.5"), 0.5),
    (Types.FLOAT(), 0.1, 0.10000000149011612),
    (Types.FLOAT(), 1e300, math.inf),
    (Types.FLOAT(), -1e300, -math.inf),
    (Types.CHAR(), "x", "x"),
    (Types.BIG_DEC(), 0.1, Decimal("0.1")),
    (Types.BIG_DEC(), 5, Decimal(5)),
    (Types.INSTANT(), Instant(1, 2), Instant(1, 2)),
    (Types.SQL_DATE(), NOON, datetime.date(2024, 2, 29)),
    (Types.SQL_TIME(), datetime.time(12, 0, 0, 123456, ZONE), datetime.time(12, 0, 0, 123000)),
    (Types.SQL_TIMESTAMP(), NOON.replace(tzinfo=ZONE), datetime.datetime(2024, 2, 29, 12, 0, 0, 123000)),
    (LocalTimeTypeInfo(T.LOCAL_DATE_TIME), NOON, NOON),
    (LocalTimeTypeInfo(T.LOCAL_TIME), NOON.time(), NOON.time()),
    (LocalTimeTypeInfo(T.LOCAL_DATE), NOON.date(), NOON.date()),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), bytearray(b"ab"), b"ab"),
    (Types.LIST(Types.BYTE()), b"ab", b"ab"),
    (Types.PRIMITIVE_ARRAY(INT), [1.5, True], [1, 1]),
    (Types.BASIC_ARRAY(INT), [1.5, None], [1, None]),
    (Types.OBJECT_ARRAY(Types.TUPLE([INT])), [(1.5,), None], [(1,), None]),
    (Types.MAP(STRING, INT), {"a": 1.5, "b": None}, {"a": 1, "b": None}),
    (Types.TUPLE([INT, STRING]), (1.5, "a"), (1, "a")),
    (Types.TUPLE([INT]), (1, 2), (1,)),
    (NAMED, Row(1.5, None), Row(a=1, b=None)),
    (NAMED, Row(b="x", a=1, c=9), Row(a=1, b="x")),
    (NAMED, Row.of_kind(RowKind.DELETE, 1, "x"), Row.of_kind(RowKind.DELETE, a=1, b="x")),
    (Types.ROW([INT]), Row(1), Row(f0=1)),
]


@pytest.mark.parametrize(("type_info", "value", "expected"), COERCED)
def test_boundary_turns_values_into_what_flink_hands_on(type_info, value, expected) -> None:
    coerced = type_info.coerce(value)
    assert coerced == expected
    assert type(coerced) is type(expected)
    assert repr(coerced) == repr(expected)


REFUSED = [
    (INT, "x", TypeError, "Expected a whole number of 32 bits for INT, got str: 'x'"),
    (INT, None, TypeError, "got NoneType"),
    (INT, 2**31, OverflowError, "2147483648, which is out of range"),
    (INT, math.inf, OverflowError, "got inf, which is out of range"),
    (Types.LONG(), 2**63, OverflowError, "64 bits for LONG"),
    (Types.BIG_INT(), 2**70, OverflowError, "64 bits for BIG_INT"),
    (Types.BYTE(), 128, OverflowError, "8 bits for BYTE"),
    (Types.BOOLEAN(), "true", TypeError, "Expected a bool for BOOLEAN, got str"),
    (Types.BOOLEAN(), 300, OverflowError, "out of range"),
    (Types.DOUBLE(), "1.5", TypeError, "Expected a number for DOUBLE, got str"),
    (STRING, 5, TypeError, "Expected a str for STRING, got int: 5"),
    (Types.CHAR(), "xy", TypeError, "one character"),
    (Types.BIG_DEC(), "one", TypeError, "Expected a decimal number"),
    (Types.BIG_DEC(), math.nan, OverflowError, "finite"),
    (Types.SQL_DATE(), "2024-01-01", TypeError, "Expected a datetime.date"),
    (Types.SQL_TIMESTAMP(), NOON.date(), TypeError, "Expected a datetime.datetime"),
    (Types.INSTANT(), 5, TypeError, "Expected an Instant"),
    (Types.LIST(INT), (1, 2), TypeError, "Expected list for ListTypeInfo<Integer>, got tuple"),
    (Types.LIST(INT), [1, None], TypeError, "element 1: Expected a whole number"),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), "ab", TypeError, "Expected bytes"),
    (Types.MAP(STRING, INT), {"a": "x"}, TypeError, "entry 'a': Expected a whole number"),
    (Types.MAP(STRING, INT), [("a", 1)], TypeError, "Expected dict"),
    (Types.TUPLE([INT, STRING]), [1, "x"], TypeError, "Expected tuple for TupleTypeInfo.*, got list"),
    (Types.TUPLE([INT, STRING]), (1,), TypeError, "Expected 2 fields"),
    (Types.TUPLE([INT, STRING]), (1, None), TypeError, "field 1: Expected a str"),
    (NAMED, (1, "x"), TypeError, "Expected Row for RowTypeInfo.*, got tuple"),
    (NAMED, {"a": 1, "b": "x"}, TypeError, "Expected Row for RowTypeInfo.*, got dict"),
    (NAMED, Row(a=1), TypeError, "lacks \\['b'\\]"),
    (NAMED, Row(1, 5), TypeError, "field b: Expected a str for STRING, got int: 5"),
    (NAMED, Row(2**40, "x"), OverflowError, "field a: .*out of range"),
    (NAMED, Row(1), TypeError, "Expected 2 values for the fields"),
    (NAMED, None, TypeError, "Expected Row"),
]


@pytest.mark.parametrize(("type_info", "value", "error", "message"), REFUSED)
def test_boundary_refuses_what_flink_cannot_carry(type_info, value, error: type[Exception], message: str) -> None:
    with pytest.raises(TypeMismatchError, match=message) as raised:
        type_info.coerce(value)
    assert isinstance(raised.value, error)


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(TypeMismatchError, match=r"… \(1002 characters\)$"):
        INT.coerce("x" * 1000)


def test_only_untyped_values_pass_as_they_are() -> None:
    anything = object()
    assert Types.PICKLED_BYTE_ARRAY().is_identity
    assert Types.PICKLED_BYTE_ARRAY().coerce(anything) is anything
    assert not any(kind.is_identity for kind, _ in REPRS if kind != Types.PICKLED_BYTE_ARRAY())


@pytest.mark.parametrize("element", [(1, "x"), [1, "x"], Row(1, "x"), {"b": "x", "a": 1}, Row(b="x", a=1)])
def test_elements_of_a_collection_may_be_tuples_lists_and_dicts_for_rows(element) -> None:
    assert NAMED.collection_coercer()(element) == Row(a=1, b="x")


def test_elements_of_a_collection_may_be_lists_and_rows_for_tuples() -> None:
    nested = Types.TUPLE([INT, NAMED])
    assert nested.collection_coercer()([1.5, (2, "x")]) == (1, Row(a=2, b="x"))
    assert nested.collection_coercer()(Row(1, {"a": 2})) == (1, Row(a=2, b=None))
    with pytest.raises(TypeMismatchError, match="Expected tuple, list or Row"):
        nested.collection_coercer()("ab")


def test_elements_of_a_collection_may_be_objects_with_attributes() -> None:
    class Point:
        def __init__(self) -> None:
            self.a, self.b = 1, "x"

    assert NAMED.collection_coercer()(Point()) == Row(a=1, b="x")
    with pytest.raises(TypeMismatchError, match="Expected Row, tuple, list, dict"):
        NAMED.collection_coercer()(5)


def test_arrays_refuse_element_types_that_java_has_no_such_array_of() -> None:
    with pytest.raises(TypeError, match="Invalid element type for a primitive array"):
        Types.PRIMITIVE_ARRAY(STRING)
    with pytest.raises(TypeError, match="Invalid element type for a basic array"):
        Types.BASIC_ARRAY(NAMED)


def test_internal_values_are_pyflink_s() -> None:
    kind = Types.ROW_NAMED(["d", "n"], [Types.SQL_DATE(), INT])
    assert kind.need_conversion()
    assert kind.to_internal_type(Row(d=datetime.date(1970, 1, 11), n=5)) == (0, 10, 5)
    assert Types.TUPLE([Types.SQL_DATE()]).to_internal_type((datetime.date(1970, 1, 11),)) == (10,)
    assert Types.SQL_TIME().to_internal_type(datetime.time(0, 0, 1)) == 1_000_000
    assert Types.SQL_TIMESTAMP().from_internal_type(1_000_000) == datetime.datetime(1970, 1, 1, 0, 0, 1)
    assert Types.INSTANT().from_internal_type(Types.INSTANT().to_internal_type(Instant(5, 0))) == Instant(5, 0)
    assert not INT.need_conversion()


def test_a_bare_type_information_has_no_values() -> None:
    with pytest.raises(UnsupportedError, match="use one of"):
        TypeInformation().coerce(1)
    with pytest.raises(UnsupportedError, match="There is no Java"):
        INT.get_java_type_info()


def test_external_type_does_what_the_type_inside_does() -> None:
    outside = ExternalTypeInfo(NAMED)
    assert outside.coerce(Row(1.5, "x")) == Row(a=1, b="x")
    assert outside.decode(outside.encode(Row(1, "x"))) == Row(a=1, b="x")
    assert outside.java_hash(NAMED.coerce(Row(1, "x"))) == NAMED.java_hash(NAMED.coerce(Row(1, "x")))


def test_basic_types_are_made_anew_each_time_and_equal() -> None:
    assert Types.INT() is not Types.INT()
    assert isinstance(Types.INT(), BasicTypeInfo)


def test_a_coerced_row_shares_no_list_with_the_original() -> None:
    original = Row(a=1, b="x")
    NAMED.coerce(original)[0] = 5
    assert original == Row(a=1, b="x")


def test_values_of_ever_changing_classes_are_coerced_alike() -> None:
    wide = Types.ROW([Types.DOUBLE()] * 8)
    for bits in range(256):
        values = [(None if bits % 3 else 1) if bits >> i & 1 else 0.5 for i in range(8)]
        expected = [None if value is None else float(value) for value in values]
        assert list(wide.coerce(Row(*values))) == expected

import json
from decimal import Decimal

import pytest

from wiesel.core.errors import TypeMismatchError
from wiesel.core.row import Row
from wiesel.core.types import (
    ExternalTypeInfo,
    LocalTimeTypeInfo,
    TypeInformation,
    Types,
    descriptor_of,
    migration,
    type_of_descriptor,
)

INT, LONG, STRING = Types.INT(), Types.LONG(), Types.STRING()
EVERY_TYPE = [
    *(getattr(Types, name)() for name in ("STRING", "BYTE", "BOOLEAN", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE")),
    *(getattr(Types, name)() for name in ("CHAR", "BIG_INT", "BIG_DEC", "INSTANT", "SQL_DATE", "SQL_TIME")),
    Types.SQL_TIMESTAMP(),
    Types.PICKLED_BYTE_ARRAY(),
    *(LocalTimeTypeInfo(kind) for kind in LocalTimeTypeInfo.TimeType),
    Types.ROW_NAMED(["a", "b"], [INT, Types.ROW([STRING])]),
    Types.TUPLE([INT, Types.TUPLE([])]),
    Types.PRIMITIVE_ARRAY(Types.BYTE()),
    Types.BASIC_ARRAY(STRING),
    Types.OBJECT_ARRAY(Types.LIST(INT)),
    Types.MAP(STRING, Types.MAP(INT, LONG)),
]


@pytest.mark.parametrize("type_info", EVERY_TYPE, ids=repr)
def test_every_type_survives_its_description_as_json(type_info: TypeInformation) -> None:
    again = type_of_descriptor(json.loads(json.dumps(descriptor_of(type_info))))
    assert again == type_info
    assert descriptor_of(again) == descriptor_of(type_info)
    assert migration(type_info, again) is None


def test_descriptions_are_readable() -> None:
    row = Types.ROW_NAMED(["a", "b"], [INT, Types.LIST(STRING)])
    assert descriptor_of(row) == ["ROW", ["a", "b"], ["INT", ["LIST", "STRING"]]]
    assert descriptor_of(ExternalTypeInfo(row)) == descriptor_of(row)


@pytest.mark.parametrize("damaged", ["NONSENSE", ["LIST"], ["ROW", ["a"], []], 5, None, []])
def test_what_describes_no_type_is_refused(damaged) -> None:
    with pytest.raises(ValueError, match="describes no type"):
        type_of_descriptor(damaged)


@pytest.mark.parametrize(
    ("old", "new", "value", "expected"),
    [
        (INT, LONG, 5, 5),
        (INT, Types.DOUBLE(), 5, 5.0),
        (INT, Types.BIG_DEC(), 5, Decimal(5)),
        (Types.CHAR(), STRING, "x", "x"),
        (Types.PICKLED_BYTE_ARRAY(), INT, 5, 5),
        (Types.TUPLE([INT, STRING]), Types.TUPLE([LONG, STRING]), (1, "a"), (1, "a")),
        (Types.LIST(INT), Types.OBJECT_ARRAY(Types.DOUBLE()), [1], [1.0]),
        (Types.MAP(STRING, INT), Types.MAP(STRING, Types.DOUBLE()), {"a": 1, "b": None}, {"a": 1.0, "b": None}),
        (
            Types.ROW_NAMED(["a", "b", "c"], [INT, STRING, INT]),
            Types.ROW_NAMED(["c", "new", "a"], [Types.DOUBLE(), STRING, INT]),
            Row(a=1, b="gone", c=None),
            Row(c=None, new=None, a=1),
        ),
    ],
)
def test_old_values_become_new_ones(old, new, value, expected) -> None:
    migrate = migration(old, new)
    assert migrate is not None
    assert repr(migrate(old.coerce(value))) == repr(expected)
    assert new.coerce(expected) == expected


def test_values_that_need_no_change_are_left_alone() -> None:
    assert migration(INT, Types.PICKLED_BYTE_ARRAY()) is None
    assert migration(Types.SQL_DATE(), LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_DATE)) is None
    assert migration(Types.LIST(INT), Types.BASIC_ARRAY(INT)) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (LONG, INT, "Long cannot become Integer"),
        (STRING, INT, "String cannot become Integer"),
        (Types.DOUBLE(), Types.FLOAT(), "cannot become"),
        (Types.TUPLE([INT]), Types.TUPLE([INT, INT]), "a tuple keeps its length"),
        (Types.BASIC_ARRAY(INT), Types.LIST(INT), "cannot become"),
        (Types.LIST(Types.BYTE()), Types.LIST(INT), "cannot become"),
        (Types.ROW_NAMED(["a"], [STRING]), Types.ROW_NAMED(["a"], [INT]), "field a: String cannot become Integer"),
        (Types.MAP(STRING, STRING), Types.MAP(STRING, INT), "value: String cannot become Integer"),
        (Types.TUPLE([Types.LIST(STRING)]), Types.TUPLE([Types.LIST(INT)]), "field 0: String cannot become"),
    ],
)
def test_what_would_lose_something_is_refused_with_the_place(old, new, message: str) -> None:
    with pytest.raises(TypeMismatchError, match=message):
        migration(old, new)


def test_untyped_values_are_checked_one_by_one() -> None:
    migrate = migration(Types.PICKLED_BYTE_ARRAY(), INT)
    assert migrate is not None
    with pytest.raises(TypeMismatchError, match="Expected a whole number"):
        migrate("x")

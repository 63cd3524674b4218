"""Coercion is idempotent, and the codec gives back exactly what coercion made, for random types and values."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from wiesel.core.key_groups import key_group, key_group_function
from wiesel.core.row import Row
from wiesel.core.state_key import original_key, state_key
from wiesel.core.time import Instant
from wiesel.core.types import LocalTimeTypeInfo, Types

T = LocalTimeTypeInfo.TimeType
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.times()
MOMENTS = st.datetimes(min_value=datetime.datetime(1, 1, 2), max_value=datetime.datetime(9999, 12, 30))

BASIC = [
    (Types.BOOLEAN(), st.booleans()),
    (Types.BYTE(), st.integers(-128, 127)),
    (Types.SHORT(), st.integers(-(2**15), 2**15 - 1)),
    (Types.INT(), st.integers(-(2**31), 2**31 - 1)),
    (Types.LONG(), st.integers(-(2**63), 2**63 - 1)),
    (Types.FLOAT(), st.floats(width=32, allow_nan=False)),
    (Types.DOUBLE(), st.floats(allow_nan=False)),
    (Types.CHAR(), st.characters(exclude_categories=["Cs"])),
    (Types.STRING(), TEXT),
]
LEAVES = [
    *BASIC,
    (Types.BIG_INT(), st.integers(-(2**63), 2**63 - 1)),
    (Types.BIG_DEC(), st.decimals(allow_nan=False, allow_infinity=False)),
    (Types.INSTANT(), st.builds(Instant, st.integers(-(2**40), 2**40), st.integers(0, 999_999_999))),
    (Types.SQL_DATE(), st.dates()),
    (Types.SQL_TIME(), TIMES),
    (Types.SQL_TIMESTAMP(), MOMENTS),
    (LocalTimeTypeInfo(T.LOCAL_DATE), st.dates()),
    (LocalTimeTypeInfo(T.LOCAL_TIME), TIMES),
    (LocalTimeTypeInfo(T.LOCAL_DATE_TIME), MOMENTS),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), st.binary(max_size=20)),
    (Types.PICKLED_BYTE_ARRAY(), st.one_of(TEXT, st.integers(), st.none(), st.lists(st.integers(), max_size=3))),
]


def _optional(values):
    return st.one_of(st.none(), values)


@st.composite
def typed_values(draw, depth: int = 2):
    """A type and a strategy for its values."""
    shape = draw(st.sampled_from(["leaf"] if depth == 0 else ["leaf", "row", "tuple", "list", "array", "map"]))
    if shape == "leaf":
        return draw(st.sampled_from(LEAVES))
    if shape == "map":
        (key_type, keys), (value_type, values) = draw(st.sampled_from(BASIC)), draw(typed_values(depth=depth - 1))
        return Types.MAP(key_type, value_type), st.dictionaries(keys, _optional(values), max_size=3)
    if shape in ("list", "array"):
        element_type, elements = draw(typed_values(depth=depth - 1).filter(lambda pair: pair[0] != Types.BYTE()))
        if shape == "list":
            return Types.LIST(element_type), st.lists(elements, max_size=3)
        return Types.OBJECT_ARRAY(element_type), st.lists(_optional(elements), max_size=3)
    fields = draw(st.lists(typed_values(depth=depth - 1), min_size=1, max_size=10))
    types = [kind for kind, _ in fields]
    if shape == "tuple":
        return Types.TUPLE(types), st.tuples(*[values for _, values in fields])
    return Types.ROW(types), st.tuples(*[_optional(values) for _, values in fields]).map(lambda found: Row(*found))


@given(st.data())
def test_coerced_values_stay_as_they_are_and_survive_the_codec(data) -> None:
    type_info, values = data.draw(typed_values())
    coerced = type_info.coerce(data.draw(values))
    again = type_info.coerce(coerced)
    assert again == coerced
    assert repr(again) == repr(coerced)
    decoded = type_info.decode(type_info.encode(coerced))
    assert decoded == coerced
    assert repr(decoded) == repr(coerced), "1 and True are equal; they must not be mixed up"


@given(st.data())
def test_equal_typed_values_have_the_same_hash_and_a_text(data) -> None:
    type_info, values = data.draw(typed_values())
    value = type_info.coerce(data.draw(values))
    if value is not None:
        assert type_info.java_hash(value) == type_info.java_hash(type_info.decode(type_info.encode(value)))
        assert isinstance(type_info.nested_text(value), str)


KEYS = st.recursive(
    st.one_of(TEXT, st.integers(), st.booleans(), st.floats(allow_nan=False), st.none(), st.binary(max_size=5)),
    lambda keys: st.one_of(st.lists(keys, max_size=3), st.lists(keys, max_size=3).map(tuple)),
    max_leaves=5,
)


@given(KEYS, KEYS)
def test_keys_of_one_identity_have_one_group(left, right) -> None:
    untyped = Types.PICKLED_BYTE_ARRAY()
    group_of = key_group_function(untyped, 32_768)
    assert group_of(left) == key_group(left, untyped, 32_768)
    assert original_key(state_key(left)) is left
    assert (state_key(left) == state_key(right)) == (repr(left) == repr(right))
    if state_key(left) == state_key(right):
        assert group_of(left) == group_of(right)

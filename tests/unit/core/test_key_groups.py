"""Key groups as PyFlink 2.3 assigned them: the subtasks that printed each key at parallelism 2."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from wiesel.core.errors import ConfigurationError, TypeMismatchError
from wiesel.core.key_groups import (
    check_max_parallelism,
    default_max_parallelism,
    key_group,
    key_group_function,
    key_group_range,
    key_hash,
    murmur,
    subtask_of,
)
from wiesel.core.row import Row
from wiesel.core.types import TypeInformation, Types

# Numbered from 1, as print() shows them.
OBSERVED: list[tuple[TypeInformation, dict[Any, int]]] = [
    (Types.STRING(), {"a": 2, "b": 2, "c": 1, "d": 2, "e": 2, "f": 2, "g": 1, "h": 1}),
    (Types.LONG(), {1: 1, 2: 2, 3: 2, 4: 1, 5: 1, 6: 2, 7: 1, 8: 2}),
    (Types.PICKLED_BYTE_ARRAY(), {"a": 1, "b": 1, "c": 1, "d": 1, "e": 2, "f": 2, "g": 2, "h": 2}),
]
GOLDENS = [(kind, key, subtask) for kind, found in OBSERVED for key, subtask in found.items()]


@pytest.mark.parametrize(("key_type", "key", "subtask"), GOLDENS)
def test_key_goes_to_the_subtask_it_goes_to_on_flink(key_type, key, subtask: int) -> None:
    assert subtask_of(key_group(key, key_type, 128), 128, 2) + 1 == subtask
    assert subtask_of(key_group_function(key_type, 128)(key), 128, 2) + 1 == subtask


@pytest.mark.parametrize(
    ("key_type", "key", "expected"),
    [
        (Types.STRING(), "a", 159),
        (Types.STRING(), None, 31),
        (Types.ROW([Types.INT(), Types.STRING()]), Row(5, None), 2139),
        (Types.TUPLE([Types.INT(), Types.STRING()]), (1, "a"), 190),
        (Types.LIST(Types.LONG()), [1, 2], 2017),
        (Types.BASIC_ARRAY(Types.LONG()), [1, None], 1984),
        (Types.MAP(Types.STRING(), Types.INT()), {"a": 1}, 192),
        (Types.MAP(Types.STRING(), Types.INT()), {"a": None}, 160),
        (Types.PRIMITIVE_ARRAY(Types.BYTE()), b"ab", 4128),
        (Types.PRIMITIVE_ARRAY(Types.INT()), [1, 2], 1056),
        (Types.ROW([Types.LIST(Types.INT()), Types.BASIC_ARRAY(Types.INT())]), Row([1, 2], [3]), 62654),
        (Types.TUPLE([Types.ROW([Types.INT()])]), (Row(1),), 125),
    ],
)
def test_wrapped_key_hashes_as_flink_2_3_hashes_it(key_type, key, expected: int) -> None:
    assert key_hash(None if key is None else key_type.coerce(key), key_type) == expected


@pytest.mark.parametrize("parallelism", [1, 2, 3, 7, 100, 128])
def test_ranges_of_subtasks_divide_the_key_groups(parallelism: int) -> None:
    ranges = [key_group_range(subtask, 128, parallelism) for subtask in range(parallelism)]
    assert [group for found in ranges for group in found] == list(range(128))
    for subtask, found in enumerate(ranges):
        assert {subtask_of(group, 128, parallelism) for group in found} == {subtask}


def test_default_max_parallelism_is_flink_s() -> None:
    assert [default_max_parallelism(p) for p in (1, 85, 86, 128, 200, 30_000)] == [128, 128, 256, 256, 512, 32_768]


def test_max_parallelism_out_of_range_is_refused_with_the_key() -> None:
    assert check_max_parallelism(128, 128) == 128
    with pytest.raises(ConfigurationError, match=r"pipeline\.max-parallelism is 40000"):
        check_max_parallelism(40_000, 1)
    with pytest.raises(ConfigurationError, match="parallelism 3 is more than the maximum parallelism 2"):
        check_max_parallelism(2, 3)


def test_murmur_is_never_negative() -> None:
    assert min(murmur(code) for code in range(-2000, 2000)) >= 0
    assert murmur(0) == murmur(1 << 32)


def test_cache_never_mixes_keys_that_python_holds_equal() -> None:
    untyped = Types.PICKLED_BYTE_ARRAY()
    keys = [1, True, 1.0, 0.0, -0.0, 0, False, (1,), (True,), (1.0,), "1", b"1", Decimal(1), None]
    group_of = key_group_function(untyped, 32_768)
    for _ in range(2):  # the second round reads the cache
        assert [group_of(key) for key in keys] == [key_group(key, untyped, 32_768) for key in keys]
    assert len({group_of(key) for key in (1, True, 1.0, 0.0, -0.0)}) == 5


def test_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiesel.core.key_groups._CACHE_SIZE", 10)
    group_of = key_group_function(Types.LONG(), 128)
    expected = [key_group(number, Types.LONG(), 128) for number in range(100)]
    assert [group_of(number) for number in range(100)] == expected
    assert [group_of(number) for number in range(100)] == expected


def test_typed_key_is_coerced_before_it_is_hashed() -> None:
    assert key_group(1.7, Types.INT(), 128) == key_group(True, Types.INT(), 128) == key_group(1, Types.INT(), 128)
    with pytest.raises(TypeMismatchError, match="Expected a str for STRING, got int"):
        key_group_function(Types.STRING(), 128)(5)


def test_missing_and_unhashable_keys_have_groups() -> None:
    untyped = key_group_function(Types.PICKLED_BYTE_ARRAY(), 128)
    assert untyped(None) == key_group(None, Types.STRING(), 128) == murmur(31) % 128
    assert 0 <= untyped([1, {"a": 2}]) < 128


def test_equal_keys_share_a_group_however_python_stores_them() -> None:
    group_of = key_group_function(Types.PICKLED_BYTE_ARRAY(), 32_768)
    left, right = "".join(["JF", "K"]), "".join(["JF", "K"])
    day, same_day = datetime.date(2013, 1, 1), datetime.date(2013, 1, 1)
    assert group_of((left, left)) == group_of((left, right))
    assert group_of([left, left]) == group_of([left, right])
    assert group_of((day, day)) == group_of((day, same_day))
    assert group_of(Row(a=left, b=left)) == group_of(Row(a=left, b=right))
    assert group_of(frozenset(["x", "yy", "zzz"])) == group_of(frozenset(["zzz", "yy", "x"]))


@pytest.mark.parametrize(
    ("key", "key_type"),
    [
        ((1, "a"), Types.TUPLE([Types.INT(), Types.STRING()])),
        (Row(1, None), Types.ROW([Types.INT(), Types.STRING()])),
        ([1, 2], Types.LIST(Types.LONG())),
        ([1, None], Types.BASIC_ARRAY(Types.LONG())),
        ({"a": None}, Types.MAP(Types.STRING(), Types.INT())),
        (b"ab", Types.PRIMITIVE_ARRAY(Types.BYTE())),
        (datetime.date(2024, 1, 1), Types.SQL_DATE()),
        (True, Types.BOOLEAN()),
        (1.5, Types.FLOAT()),
    ],
)
def test_keys_of_every_type_have_a_group(key, key_type) -> None:
    assert key_group_function(key_type, 128)(key) == key_group(key, key_type, 128)

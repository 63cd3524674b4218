"""What one task hands to another is its own, as if it had been serialised in between."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from wiesel.core.isolation import gives_away, isolate
from wiesel.core.row import Row, RowKind
from wiesel.core.shipping import ship
from wiesel.datastream import FlatMapFunction, StreamExecutionEnvironment


@pytest.mark.parametrize("value", [1, "a", 1.5, True, None, b"x", (1, "a", None), ()])
def test_a_value_that_cannot_change_is_passed_on_as_it_is(value: Any) -> None:
    assert isolate(value) is value


@pytest.mark.parametrize(
    "value",
    [
        *([1, 2], {"a": 1}, {"a": [1]}, [[1], [2]], (1, [2]), {"a": {"b": {"c": [1]}}}, {1, 2}),
        *(Row(1, [2]), Row(1, "a"), Row(a=1, b=None), Row(a=[1]), Row(), Row.of_kind(RowKind.DELETE, a=1)),
    ],
)
def test_a_value_that_can_change_is_copied_with_all_its_parts(value: Any) -> None:
    copy = isolate(value)
    assert copy == value
    assert copy is not value
    assert repr(copy) == repr(value)
    assert not _parts(copy) & _parts(value)


def _parts(value: Any) -> set[int]:
    """Return the ids of everything in ``value`` that can be changed in place."""
    if isinstance(value, dict):
        return {id(value)}.union(*map(_parts, value.values()), set())
    if isinstance(value, list | Row):
        return {id(value)}.union(*map(_parts, list(value)), set())
    if isinstance(value, tuple):
        return set().union(*map(_parts, value), set())
    return {id(value)} if isinstance(value, set) else set()


class Fill(FlatMapFunction):
    """Emits one list again and again while it fills it."""

    def flat_map(self, value: int) -> Any:
        growing: list[int] = []
        for n in range(value):
            growing.append(n)
            yield growing


def emitted(object_reuse: bool) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env._configuration.set_boolean("pipeline.object-reuse", object_reuse)
    lists = env.from_collection([3]).flat_map(Fill()).rebalance().map(lambda x: x).disable_chaining()
    return list(lists.key_by(len).map(list).execute_and_collect())


def test_a_list_that_is_emitted_and_filled_on_arrives_as_it_was_when_emitted() -> None:
    assert emitted(object_reuse=False) == [[0], [0, 1], [0, 1, 2]]


def test_with_object_reuse_the_receiver_sees_the_very_object() -> None:
    assert emitted(object_reuse=True) == [[0, 1, 2]] * 3


@functools.cache
def remembered(text: str) -> Any:
    return json.loads(text)


@functools.wraps(json.loads)
def dressed_up(text: str) -> Any:
    return remembered(text)


def through_an_edge(parse: Callable[[str], Any], *, read_twice: bool = False) -> list[Any]:
    """What a second task makes of texts that are parsed to lists, each of which it fills."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    parsed = env.from_collection(["[[1]]", "[[1]]"]).map(parse)
    filled = parsed.rebalance().map(fill)
    return list((filled.union(parsed.map(fill)) if read_twice else filled).execute_and_collect())


def fill(value: list[Any]) -> list[Any]:
    value[0].append(0)
    return value


def test_what_a_parser_makes_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiesel.runtime.exchange.record_writer.isolate", None)  # would fail
    assert through_an_edge(json.loads) == [[[1, 0]], [[1, 0]]]
    with pytest.raises(Exception, match="NoneType"):
        through_an_edge(remembered)


@pytest.mark.parametrize("parse", [remembered, dressed_up])
def test_what_a_function_of_the_users_returns_is_copied_though_it_looks_like_a_parser(parse: Any) -> None:
    remembered.cache_clear()
    assert through_an_edge(parse) == [[[1, 0]], [[1, 0]]]


def test_what_a_parser_makes_for_two_readers_is_copied() -> None:
    assert through_an_edge(json.loads, read_twice=True) == [[[1, 0]]] * 4


def test_parsers_are_known_by_themselves_and_not_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gives_away(ship(json.loads))
    assert gives_away(ship(msgspec.json.decode))
    assert not any(map(gives_away, map(ship, (remembered, dressed_up, json.dumps, Fill()))))
    monkeypatch.setattr(json, "loads", remembered)
    assert not gives_away(ship(json.loads, "loads"))

"""A function that cannot be called, or returns what an operator cannot use, is told with operator, expected and got."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.core.errors import JobExecutionError
from wiesel.datastream import DataStream
from wiesel.datastream.functions import MapFunction, ProcessFunction
from wiesel.datastream.window import CountTumblingWindowAssigner, WindowAssigner
from wiesel.runtime.misuse import expected_and_got


def of_two(first: Any, second: Any) -> Any:
    return first


def none(value: Any) -> Any:
    return None


class TakesTooMuch(MapFunction):
    def map(self, value: Any, more: Any) -> Any:  # type: ignore[override]
        return value


class TakesTooLittle(ProcessFunction):
    def process_element(self, value: Any) -> Any:  # type: ignore[override]
        yield value


class ReturnsANumber(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return 5


def every_two() -> WindowAssigner:
    return CountTumblingWindowAssigner.of(2)


@pytest.mark.parametrize(
    ("operator", "build", "expected", "got"),
    [
        ("Map", lambda s: s.map(of_two), "a function of 1 argument", r"of_two\(first, second\)"),
        ("Map", lambda s: s.map(lambda: 1), "a function of 1 argument", r"<lambda>\(\)"),
        ("Map", lambda s: s.map(TakesTooMuch()), "a function of 1 argument", r"TakesTooMuch.map\(value, more\)"),
        ("Filter", lambda s: s.filter(of_two), "a function of 1 argument", "of_two"),
        ("FlatMap", lambda s: s.flat_map(of_two), "a function of 1 argument", "of_two"),
        (".*_stream_key_by_map_operator", lambda s: s.key_by(of_two), "a function of 1 argument", "of_two"),
        ("Reduce", lambda s: s.key_by(str).reduce(none), "a function of 2 arguments", r"none\(value\)"),
        (".*Count.*", lambda s: s.key_by(str).window(every_two()).reduce(none), "a function of 2 arguments", "none"),
        ("PROCESS", lambda s: s.process(TakesTooLittle()), "a function of 2 arguments", "TakesTooLittle"),
        ("Map", lambda s: s.map(isinstance), "a function of 1 argument", "isinstance"),
        ("FlatMap", lambda s: s.flat_map(none), "an iterable of results from none .*", "None"),
        ("FlatMap", lambda s: s.flat_map(len), "an iterable of results from len .*", "type int"),
        ("PROCESS", lambda s: s.process(ReturnsANumber()), "an iterable of results from ReturnsANumber.*", "type int"),
    ],
)  # fmt: skip
def test_operator_function_expected_and_got_are_named(
    operator: str, build: Callable[[DataStream], DataStream], expected: str, got: str
) -> None:
    words = rf"TypeError: .*\. Expected {expected}, got {got}.* \[operator '{operator}"
    with pytest.raises(JobExecutionError, match=words):
        collect(build(environment().from_collection(["a", "a"])))


def test_a_mistake_inside_the_users_function_keeps_pythons_words() -> None:
    for function in (lambda value: [of_two(value)], lambda value: [*none(value)]):  # type: ignore[call-arg]
        with pytest.raises(JobExecutionError) as failure:
            collect(environment().from_collection([1]).flat_map(function))
        assert "Expected" not in str(failure.value)


def test_other_errors_and_errors_never_raised_get_no_words() -> None:
    assert expected_and_got(TypeError("'int' object is not iterable")) == ""
    assert expected_and_got(ValueError("one argument too many")) == ""


class Odd:
    """Called with too little, and whoever asks for its signature is raised at."""

    def __call__(self) -> None:
        """Nothing."""

    @property
    def __signature__(self) -> Any:
        raise RuntimeError("no signature")


def test_an_object_without_a_signature_keeps_pythons_words() -> None:
    with pytest.raises(JobExecutionError, match=r"takes 1 positional argument but 2 were given \[operator 'Map'"):
        collect(environment().from_collection([1]).map(Odd()))

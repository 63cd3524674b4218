"""An attribute that a class of the API does not have is told with what was probably meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.compat.missing_members import hint_of
from wiesel.core.errors import JobExecutionError
from wiesel.datastream.functions import ProcessFunction


def error_of(access: Callable[[], Any]) -> BaseException:
    with pytest.raises(AttributeError) as caught:
        access()
    return caught.value


def test_a_slip_of_the_pen_is_told_with_the_nearest_name() -> None:
    stream: Any = environment().from_collection([1])
    assert hint_of(error_of(lambda: stream.flatmap)) == ". Did you mean 'flat_map'?"
    assert hint_of(error_of(lambda: type(stream).flatmap)) == ". Did you mean 'flat_map'?"


def test_nothing_is_said_of_objects_that_are_not_ours_nor_of_what_resembles_nothing() -> None:
    text: Any = "x"
    stream: Any = environment().from_collection([1])
    assert hint_of(error_of(lambda: text.uper)) == ""
    assert hint_of(error_of(lambda: stream.qqq)) == ""
    assert hint_of(ValueError("no attribute")) == ""


def test_java_s_way_to_state_is_told_in_a_class_of_the_user_s_and_its_own_attributes_are_not() -> None:
    class Counter(ProcessFunction):
        count = 0

        def process_element(self, value: Any, ctx: Any) -> Any:
            return [value]

    function: Any = Counter()
    assert "open(self, runtime_context)" in hint_of(error_of(lambda: function.get_runtime_context))
    assert hint_of(error_of(lambda: function.cuont)) == ""


def test_what_only_java_has_is_told_with_python_s_way_in_a_failing_job() -> None:
    class JavaStyle(ProcessFunction):
        def process_element(self, value: Any, ctx: Any) -> Any:
            ctx.output("tag", value)

    with pytest.raises(JobExecutionError, match="yield tag, value"):
        collect(environment().from_collection([1]).process(JavaStyle()))

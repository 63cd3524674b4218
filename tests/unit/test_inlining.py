"""The one function that a chain's path becomes: what it calls, in which order, and whose its lines are."""

from collections.abc import Callable
from typing import Any

import pytest

from wiesel.runtime.inlining import OWNERS, Inline, Step, Target, emit_function, run_function

Seen = list[tuple[str, Any, int]]


def sink(seen: Seen, name: str) -> Callable[[Any, int], None]:
    return lambda value, timestamp: seen.append((name, value, timestamp))


def mapping(function: Callable[[Any], Any], *targets: Target, name: str = "map") -> Step:
    return Step(name, Inline(("{result} = {function}({value})",), {"function": function}), targets)


def keeping(function: Callable[[Any], Any], *targets: Target) -> Step:
    return Step("filter", Inline(("if {function}({value}):",), {"function": function}, emits="{value}"), targets)


def spreading(*targets: Target) -> Step:
    return Step("flat map", Inline(("for {result} in {value}:",), {}), targets)


def test_a_record_passes_nested_steps_and_only_what_they_let_through() -> None:
    seen: Seen = []
    path = spreading(keeping(lambda n: n > 1, mapping(lambda n: n * 10, sink(seen, "a"))))
    emit_function([path], "source")([1, 2, 3], 7)
    assert seen == [("a", 20, 7), ("a", 30, 7)]


def test_every_downstream_gets_every_record_in_the_order_in_which_they_are_given() -> None:
    seen: Seen = []
    twice = spreading(mapping(str, sink(seen, "a"), sink(seen, "b")), sink(seen, "c"))
    run_function([twice, sink(seen, "d")], "source")([[1], [2, 3]], [5, 6])
    assert seen == [
        ("a", "1", 5), ("b", "1", 5), ("c", 1, 5), ("d", [1], 5),
        ("a", "2", 6), ("b", "2", 6), ("c", 2, 6), ("a", "3", 6), ("b", "3", 6), ("c", 3, 6), ("d", [2, 3], 6),
    ]  # fmt: skip


def test_a_step_that_emits_by_itself_gets_nothing_behind_it() -> None:
    seen: Seen = []
    alone = Step("own", Inline(("{emit}({value}, timestamp)",), {"emit": sink(seen, "own")}, emits=None), ())
    emit_function([alone], "source")("x", 1)
    assert seen == [("own", "x", 1)]


def test_without_a_downstream_records_are_dropped() -> None:
    emit_function([], "source")("x", 1)
    emit_function([mapping(str)], "source")("x", 1)


def test_a_single_downstream_that_is_not_inlined_is_called_without_anything_between() -> None:
    target = sink([], "a")
    assert emit_function([target], "source") is target


def test_a_path_deeper_than_python_nests_loops_still_works() -> None:
    seen: Seen = []
    path: Target = sink(seen, "a")
    nested: Any = 1
    for _ in range(100):
        path, nested = spreading(path), [nested]
    run_function([path], "source")([nested], [3])
    assert seen == [("a", 1, 3)]


def test_batches_whose_timestamps_are_missing_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        run_function([sink([], "a")], "source")([1, 2], [1])


def test_each_line_tells_its_operator_and_the_record_that_it_works_on() -> None:
    def fail(value: Any) -> None:
        raise KeyError(value)

    path = spreading(mapping(lambda n: n + 1, mapping(fail, name="second"), name="first"))
    with pytest.raises(KeyError) as caught:
        emit_function([path], "source")([1], 0)
    trace = caught.value.__traceback__
    assert trace is not None and trace.tb_next is not None
    frame = trace.tb_next.tb_frame
    name, variable = frame.f_globals[OWNERS][trace.tb_next.tb_lineno - 1]
    assert (name, frame.f_locals[variable]) == ("second", 2)

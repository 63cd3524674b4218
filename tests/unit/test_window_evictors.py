"""Evictors: elements that leave a window before or after it is evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.window_harness import WindowHarness, window_spec
from wiesel.common import Time
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.functions import AggregateFunction, ProcessWindowFunction
from wiesel.datastream.window import (
    CountEvictor,
    CountTrigger,
    DeltaEvictor,
    EventTimeSessionWindows,
    Evictor,
    GlobalWindows,
    TimeEvictor,
    TumblingEventTimeWindows,
)

TEN = Time.milliseconds(10)


class Elements(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield list(elements)


def plus(a: int, b: int) -> int:
    return a + b


def fired(spec: Any, stream: list[tuple[Any, int]]) -> list[Any]:
    windows = WindowHarness(spec)
    for value, timestamp in stream:
        windows.process("a", value, timestamp)
        windows.restart()
    windows.finish()
    return [value for value, _ in windows.results]


def every_second(evictor: Any, **way: Any) -> Any:
    return window_spec(GlobalWindows.create(), trigger=CountTrigger.of(2), evictor=evictor, **way)


STREAM = [(value, value) for value in range(1, 7)]


def test_count_evictor_before_shows_the_last_elements():
    spec = every_second(CountEvictor.of(3), function=Elements())
    assert fired(spec, STREAM) == [[1, 2], [2, 3, 4], [4, 5, 6]]


def test_count_evictor_afterwards_keeps_the_last_elements():
    spec = every_second(CountEvictor.of(1, do_evict_after=True), function=Elements())
    assert fired(spec, STREAM) == [[1, 2], [2, 3, 4], [4, 5, 6]]


def test_time_evictor_drops_what_is_older_than_the_newest_by_its_size():
    spec = every_second(TimeEvictor.of(Time.milliseconds(2)), function=Elements())
    assert fired(spec, [("x", 5), ("y", 1), ("z", 4), ("w", 6)]) == [["x"], ["x", "w"]]


def test_time_evictor_leaves_elements_without_timestamps_alone():
    spec = every_second(TimeEvictor.of(Time.milliseconds(2)), function=Elements())
    assert fired(spec, [("x", MIN_TIMESTAMP), ("y", MIN_TIMESTAMP)]) == [["x", "y"]]


def test_delta_evictor_drops_what_is_far_from_the_last_element():
    spec = every_second(DeltaEvictor.of(3, lambda value, last: abs(last - value)), function=Elements())
    assert fired(spec, STREAM) == [[1, 2], [2, 3, 4], [4, 5, 6]]


class Average(AggregateFunction):
    def create_accumulator(self) -> Any:
        return 0, 0

    def add(self, value: Any, accumulator: Any) -> Any:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: Any) -> Any:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


@pytest.mark.parametrize(("way", "results"), [({"reduce": plus}, [3, 9, 15]), ({"aggregate": Average()}, [1.5, 3, 5])])
def test_folding_is_over_the_elements_that_are_left(way, results):
    assert fired(every_second(CountEvictor.of(3), **way), STREAM) == results


def test_window_that_lost_all_elements_has_no_sum_but_can_be_processed():
    assert fired(every_second(CountEvictor.of(0), reduce=plus), STREAM[:2]) == []
    assert fired(every_second(CountEvictor.of(0), function=Elements()), STREAM[:2]) == [[]]


def test_evictor_works_with_time_windows_and_late_elements():
    spec = window_spec(
        TumblingEventTimeWindows.of(TEN),
        evictor=CountEvictor.of(2),
        function=Elements(),
        allowed_lateness_ms=10,
    )
    windows = WindowHarness(spec)
    for timestamp in (1, 2, 3):
        windows.process("a", timestamp, timestamp)
    windows.watermark(9)
    windows.process("a", 4, 4)
    windows.finish()
    assert windows.results == [([2, 3], 9), ([3, 4], 4)]
    assert windows.backend.number_of_keys() == 0


def test_evictor_works_with_sessions():
    spec = window_spec(EventTimeSessionWindows.with_gap(TEN), evictor=CountEvictor.of(2), function=Elements())
    assert fired(spec, [(1, 1), (2, 20), (3, 10)]) == [[2, 3]]


class Sees(Evictor):
    def evict_before(self, elements, size, window, evictor_context):
        evictor_context.get_metric_group().gauge("seen", lambda: size)
        assert evictor_context.get_current_processing_time() == 77
        assert evictor_context.get_current_watermark() == MIN_TIMESTAMP

    def evict_after(self, elements, size, window, evictor_context):
        elements.clear()


def test_evictor_of_the_user_sees_time_and_metrics():
    windows = WindowHarness(every_second(Sees(), function=Elements()), now=77)
    for value, timestamp in STREAM:
        windows.process("a", value, timestamp)
    assert [value for value, _ in windows.results] == [[1, 2], [3, 4], [5, 6]]
    assert dict(windows.metrics.read())["seen",] == 2

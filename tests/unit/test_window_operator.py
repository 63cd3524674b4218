"""Windows as programs see them: built-in assigners, the default triggers, lateness, functions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.window_harness import WindowHarness, window_spec
from wiesel.common import Time
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.functions import (
    AggregateFunction,
    AllWindowFunction,
    OutputTag,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    WindowFunction,
)
from wiesel.core.state import ValueStateDescriptor
from wiesel.core.types import Types
from wiesel.datastream.window import (
    CountSlidingWindowAssigner,
    CountTumblingWindowAssigner,
    CountWindow,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    ProcessingTimeSessionWindows,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeWindow,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

TEN = Time.milliseconds(10)
FIVE = Time.milliseconds(5)


OVERLAPPING = (("a", TimeWindow(995, 1005), [1]), 1004)


def plus(a: int, b: int) -> int:
    return a + b


class Average(AggregateFunction):
    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: int, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple[int, int], acc_b: tuple[int, int]) -> tuple[int, int]:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class LikeTheDefault(EventTimeTrigger):
    """Not the default trigger itself, so it is asked for each element."""


class Elements(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield key, context.window(), list(elements)


class ElementsOfAll(ProcessAllWindowFunction):
    def process(self, context: Any, elements: Any) -> Any:
        return [(context.window(), list(elements))]


class Apply(WindowFunction):
    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        return [(key, window, list(inputs))]


class ApplyToAll(AllWindowFunction):
    def apply(self, window: Any, inputs: Any) -> Any:
        return [(window, list(inputs))]


def test_tumbling_window_emits_once_the_watermark_reaches_its_last_millisecond():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), reduce=plus))
    windows.process("a", 1, 0)
    windows.process("a", 2, 9)
    windows.process("b", 5, 3)
    windows.process("a", 100, 10)
    windows.watermark(8)
    assert windows.results == []
    windows.watermark(9)
    assert sorted(windows.results) == [(3, 9), (5, 9)]
    windows.finish()
    assert windows.results[2:] == [(100, 19)]


def test_windows_leave_no_state_behind():
    for assigner in (
        TumblingEventTimeWindows.of(TEN),
        SlidingEventTimeWindows.of(TEN, FIVE),
        EventTimeSessionWindows.with_gap(TEN),
    ):
        for lateness in (0, 7):
            windows = WindowHarness(window_spec(assigner, function=Elements(), allowed_lateness_ms=lateness))
            for timestamp in (3, 1, 12, 40, 5):
                windows.process("a", timestamp, timestamp)
            windows.watermark(1000)
            assert windows.results
            assert windows.backend.number_of_keys() == 0
            assert not windows.backend.pop_event_timers(2**62, 9)


def test_offset_shifts_windows_also_before_the_epoch():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN, Time.milliseconds(3)), function=Elements()))
    for timestamp in (2, 3, -8, -7):
        windows.process("a", timestamp, timestamp)
    windows.finish()
    assert windows.take() == [
        ("a", TimeWindow(-17, -7), [-8]),
        ("a", TimeWindow(-7, 3), [2, -7]),
        ("a", TimeWindow(3, 13), [3]),
    ]


def test_sliding_windows_overlap():
    windows = WindowHarness(window_spec(SlidingEventTimeWindows.of(TEN, FIVE), function=Elements()))
    windows.process("a", 1, 1)
    windows.process("a", 7, 7)
    windows.finish()
    assert windows.take() == [
        ("a", TimeWindow(-5, 5), [1]),
        ("a", TimeWindow(0, 10), [1, 7]),
        ("a", TimeWindow(5, 15), [7]),
    ]


def test_late_element_still_goes_into_the_sliding_windows_that_are_open():
    windows = WindowHarness(window_spec(SlidingEventTimeWindows.of(TEN, FIVE), function=Elements()))
    windows.watermark(4)
    windows.process("a", 4, 4)
    assert windows.dropped == 0
    windows.finish()
    assert windows.take() == [("a", TimeWindow(0, 10), [4])]


def test_element_between_windows_is_dropped_silently_unless_it_is_late():
    windows = WindowHarness(window_spec(SlidingEventTimeWindows.of(FIVE, TEN), reduce=plus))
    windows.process("a", 7, 7)
    assert windows.dropped == 0
    windows.watermark(7)
    windows.process("a", 7, 7)
    assert windows.dropped == 1


def test_sessions_merge_when_an_element_joins_them():
    windows = WindowHarness(window_spec(EventTimeSessionWindows.with_gap(TEN), function=Elements()))
    windows.process("a", 1, 1)
    windows.process("a", 20, 20)
    windows.process("b", 4, 4)
    windows.process("a", 10, 10)
    windows.finish()
    assert windows.take() == [("a", TimeWindow(1, 30), [1, 20, 10]), ("b", TimeWindow(4, 14), [4])]


@pytest.mark.parametrize("lateness", [0, 5])
def test_merged_sessions_leave_no_timers_behind(lateness):
    spec = window_spec(EventTimeSessionWindows.with_gap(TEN), reduce=plus, allowed_lateness_ms=lateness)
    windows = WindowHarness(spec)
    for timestamp in (1, 20, 10):
        windows.process("a", 1, timestamp)
    windows.watermark(29 + lateness)
    assert windows.results == [(3, 29)]
    assert windows.backend.number_of_keys() == 0
    assert not windows.backend.pop_event_timers(2**62, 9)


def test_sessions_that_touch_are_one():
    windows = WindowHarness(window_spec(EventTimeSessionWindows.with_gap(TEN), reduce=plus))
    windows.process("a", 1, 0)
    windows.process("a", 2, 10)
    windows.process("a", 4, 21)
    windows.finish()
    assert sorted(windows.results) == [(3, 19), (4, 30)]


def test_session_grown_by_a_later_element_does_not_fire_at_its_old_end():
    windows = WindowHarness(window_spec(EventTimeSessionWindows.with_gap(TEN), aggregate=Average()))
    windows.process("a", 1, 0)
    windows.process("a", 3, 5)
    windows.watermark(9)
    assert windows.results == []
    windows.watermark(14)
    assert windows.results == [(2.0, 14)]


class GapFromElement(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return int(element)


def test_dynamic_gap_comes_from_the_element():
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows.with_dynamic_gap(GapFromElement()), function=Elements())
    )
    windows.process("a", 30, 0)
    windows.process("a", 2, 10)
    windows.process("a", 2, 31)
    windows.finish()
    assert windows.take() == [("a", TimeWindow(0, 30), [30, 2]), ("a", TimeWindow(31, 33), [2])]


def test_dynamic_gap_must_be_positive():
    windows = WindowHarness(
        window_spec(ProcessingTimeSessionWindows.with_dynamic_gap(GapFromElement()), function=Elements())
    )
    with pytest.raises(ValueError, match="Dynamic session time gap must satisfy 0 < gap"):
        windows.process("a", 0)


@pytest.mark.parametrize(
    "assigner", [TumblingProcessingTimeWindows.of(TEN), SlidingProcessingTimeWindows.of(TEN, FIVE)]
)
def test_processing_time_windows_go_by_the_clock_and_need_no_timestamps(assigner):
    windows = WindowHarness(window_spec(assigner, function=Elements()), now=1002)
    windows.process("a", 1, MIN_TIMESTAMP)
    windows.advance(1009)
    windows.process("a", 2, MIN_TIMESTAMP)
    windows.finish()
    before_end = list(windows.results)
    windows.advance(1010)
    assert windows.results == [*before_end, (("a", TimeWindow(1000, 1010), [1, 2]), 1009)]
    assert before_end == ([] if isinstance(assigner, TumblingProcessingTimeWindows) else [OVERLAPPING])
    windows.advance(1030)
    assert windows.backend.number_of_keys() == 0


def test_processing_time_sessions_end_by_the_clock():
    windows = WindowHarness(window_spec(ProcessingTimeSessionWindows.with_gap(TEN), function=Elements()), now=100)
    windows.process("a", 1)
    windows.advance(105)
    windows.process("a", 2)
    windows.advance(114)
    assert windows.results == []
    windows.advance(115)
    assert windows.results == [(("a", TimeWindow(100, 115), [1, 2]), 114)]


def test_tumbling_count_window_fires_when_full_and_a_partial_one_never():
    windows = WindowHarness(window_spec(CountTumblingWindowAssigner.of(2), function=Elements()))
    for key, value in [("a", 1), ("b", 9), ("a", 2), ("a", 3), ("a", 4), ("a", 5)]:
        windows.process(key, value, value)
    windows.finish()
    assert windows.results == [(("a", CountWindow(0), [1, 2]), 2), (("a", CountWindow(1), [3, 4]), 4)]


def test_sliding_count_window_fires_only_when_full():
    windows = WindowHarness(window_spec(CountSlidingWindowAssigner.of(3, 2), reduce=plus))
    for value in range(1, 8):
        windows.process("a", value)
    assert [value for value, _ in windows.results] == [1 + 2 + 3, 3 + 4 + 5, 5 + 6 + 7]


def test_full_count_windows_leave_only_the_count():
    windows = WindowHarness(window_spec(CountSlidingWindowAssigner.of(2, 2), reduce=plus))
    for value in range(100):
        windows.process("a", value)
    assert windows.backend.number_of_keys() == 1


def test_global_window_never_fires_by_itself():
    windows = WindowHarness(window_spec(GlobalWindows.create(), reduce=plus))
    windows.process("a", 1, 5)
    windows.finish()
    assert windows.results == []


# --------------------------------------------------------------------------------------------------------- lateness


def test_late_element_is_counted_as_dropped():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), reduce=plus))
    windows.watermark(9)
    windows.process("a", 1, 9)
    windows.process("a", 1, 10)
    assert windows.dropped == 1


@pytest.mark.parametrize("assigner", [TumblingEventTimeWindows.of(TEN), EventTimeSessionWindows.with_gap(TEN)])
def test_late_element_goes_to_side_output_after_allowed_lateness(assigner):
    spec = window_spec(assigner, reduce=plus, allowed_lateness_ms=5, late_tag="late")
    windows = WindowHarness(spec, side_outputs=("late",))
    windows.process("a", 1, 0)
    windows.watermark(9)
    windows.process("a", 10, 0)
    windows.watermark(14)
    windows.process("a", 100, 0)
    assert windows.results == [(1, 9), (11, 0)]
    assert windows.sides["late"] == [(100, 0)]
    assert windows.dropped == 0


def test_late_elements_nobody_reads_are_neither_emitted_nor_counted():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), reduce=plus, late_tag="late"))
    windows.watermark(9)
    windows.process("a", 1, 9)
    assert (windows.results, windows.dropped) == ([], 0)


def test_each_element_within_allowed_lateness_fires_the_window_again():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Elements(), allowed_lateness_ms=5))
    windows.process("a", 1, 1)
    windows.watermark(12)
    windows.process("a", 2, 2)
    windows.process("a", 3, 3)
    window = TimeWindow(0, 10)
    assert windows.results == [
        (("a", window, [1]), 9),
        (("a", window, [1, 2]), 2),
        (("a", window, [1, 2, 3]), 3),
    ]


def test_late_element_reopens_a_session_within_allowed_lateness():
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows.with_gap(TEN), function=Elements(), allowed_lateness_ms=20)
    )
    windows.process("a", 1, 0)
    windows.watermark(15)
    windows.process("a", 2, 8)
    windows.finish()
    assert [value for value, _ in windows.results] == [
        ("a", TimeWindow(0, 10), [1]),
        ("a", TimeWindow(0, 18), [1, 2]),
    ]


# -------------------------------------------------------------------------------------------------------- functions


@pytest.mark.parametrize("trigger", [None, LikeTheDefault()])
def test_window_functions_see_key_window_and_elements(trigger):
    expected = ("a", TimeWindow(0, 10), [1, 2])
    for function, answer in [
        (Elements(), expected),
        (Apply(), expected),
        (ElementsOfAll(), expected[1:]),
        (ApplyToAll(), expected[1:]),
    ]:
        spec = window_spec(TumblingEventTimeWindows.of(TEN), function=function, trigger=trigger)
        windows = WindowHarness(spec)
        windows.process("a", 1, 0)
        windows.process("a", 2, 1)
        windows.finish()
        assert windows.results == [(answer, 9)]


@pytest.mark.parametrize("trigger", [None, LikeTheDefault()])
def test_function_behind_an_aggregation_sees_its_single_result(trigger):
    spec = window_spec(TumblingEventTimeWindows.of(TEN), aggregate=Average(), function=Elements(), trigger=trigger)
    windows = WindowHarness(spec)
    for value in (1, 2, 6):
        windows.process("a", value, value)
    windows.finish()
    assert windows.results == [(("a", TimeWindow(0, 10), [3.0]), 9)]


class Silent(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        return None


def test_function_may_return_none():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Silent()))
    windows.process("a", 1, 1)
    windows.finish()
    assert windows.results == []


class Tagging(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield OutputTag("side"), key
        yield len(elements)


def test_function_emits_to_side_outputs():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Tagging()), side_outputs=("side",))
    windows.process("a", 1, 1)
    windows.finish()
    assert windows.results == [(1, 9)]
    assert windows.sides["side"] == [("a", 9)]


class Counting(ProcessWindowFunction):
    """Counts firings per window and over all windows, under one name."""

    def open(self, runtime_context: Any) -> None:
        self.descriptor: ValueStateDescriptor[int] = ValueStateDescriptor("firings", Types.LONG())

    def process(self, key: Any, context: Any, elements: Any) -> Any:
        counts = []
        for store in (context.window_state(), context.global_state()):
            state = store.get_state(self.descriptor)
            state.update((state.value() or 0) + 1)
            counts.append(state.value())
        yield (*counts, context.current_watermark(), context.current_processing_time())

    def clear(self, context: Any) -> None:
        context.window_state().get_state(self.descriptor).clear()


def test_window_state_is_per_window_and_global_state_is_not():
    spec = window_spec(TumblingEventTimeWindows.of(TEN), function=Counting(), allowed_lateness_ms=5)
    windows = WindowHarness(spec, now=77)
    windows.process("a", 1, 1)
    windows.process("a", 1, 11)
    windows.watermark(10)
    windows.process("a", 1, 2)
    windows.watermark(100)
    assert [value for value, _ in windows.results] == [(1, 1, 10, 77), (2, 2, 10, 77), (1, 3, 100, 77)]


@pytest.mark.parametrize("lateness", [0, 5])
def test_clear_is_called_when_a_window_is_dropped(lateness):
    spec = window_spec(TumblingEventTimeWindows.of(TEN), function=Counting(), allowed_lateness_ms=lateness)
    windows = WindowHarness(spec)
    windows.process("a", 1, 1)
    windows.watermark(100)
    assert windows.backend.number_of_keys() == 1  # only the global count


def test_merging_windows_refuse_window_state():
    windows = WindowHarness(window_spec(EventTimeSessionWindows.with_gap(TEN), function=Counting()))
    windows.process("a", 1, 1)
    with pytest.raises(Exception, match="Per-window state is not allowed when using merging windows"):
        windows.finish()


class Lifecycle(Elements):
    def open(self, runtime_context: Any) -> None:
        self.closed = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


def test_function_is_closed_exactly_once():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Lifecycle()))
    windows.operator.close()
    windows.operator.close()


# ----------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("assigner", [TumblingEventTimeWindows.of(TEN), SlidingEventTimeWindows.of(TEN, FIVE)])
@pytest.mark.parametrize("trigger", [None, LikeTheDefault()])
def test_event_time_windows_refuse_records_without_timestamps(assigner, trigger):
    windows = WindowHarness(window_spec(assigner, reduce=plus, trigger=trigger))
    with pytest.raises(ValueError, match=r"Long.MIN_VALUE timestamp .* did you forget to call"):
        windows.process("a", 1, MIN_TIMESTAMP)


# --------------------------------------------------------------------------------------------------------- restarts


@pytest.mark.parametrize(
    "assigner",
    [
        TumblingEventTimeWindows.of(TEN),
        SlidingEventTimeWindows.of(TEN, FIVE),
        EventTimeSessionWindows.with_gap(TEN),
        CountTumblingWindowAssigner.of(3),
    ],
)
@pytest.mark.parametrize("lateness", [0, 5])
def test_restored_windows_go_on_as_if_nothing_had_happened(assigner, lateness):
    def run(restart: bool) -> list[Any]:
        windows = WindowHarness(window_spec(assigner, function=Elements(), allowed_lateness_ms=lateness))
        for number, timestamp in enumerate((1, 12, 3, 25, 14, 40, 2)):
            windows.process("a", number, timestamp)
            windows.watermark(timestamp - 8)
            if restart:
                windows.restart()
        windows.finish()
        return windows.results

    assert run(restart=True) == run(restart=False) != []


@pytest.mark.parametrize("trigger", [None, LikeTheDefault()])
def test_allowing_lateness_after_a_restore_continues_the_windows_of_before(trigger):
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Elements()))
    windows.process("a", 1, 1)
    windows.process("idle", 0, 1)
    windows.spec = window_spec(
        TumblingEventTimeWindows.of(TEN), function=Elements(), allowed_lateness_ms=5, trigger=trigger
    )
    windows.restart()
    windows.process("a", 2, 2)
    windows.watermark(9)
    windows.process("a", 3, 3)
    assert [row for row in windows.results if row[0][0] == "a"] == [
        (("a", TimeWindow(0, 10), [1, 2]), 9),
        (("a", TimeWindow(0, 10), [1, 2, 3]), 3),
    ]
    windows.watermark(14)
    assert windows.backend.number_of_keys() == 0


class Untidy(LikeTheDefault):
    """Leaves its timers behind when windows merge."""

    def clear(self, window: Any, ctx: Any) -> None:
        return None


@pytest.mark.parametrize("trigger", [None, Untidy()])
def test_timer_of_a_session_that_was_merged_away_does_nothing(trigger):
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows.with_gap(TEN), function=Elements(), trigger=Untidy(), allowed_lateness_ms=1)
    )
    windows.process("a", 1, 1)
    windows.process("a", 2, 5)
    windows.spec = window_spec(EventTimeSessionWindows.with_gap(TEN), function=Elements(), trigger=trigger)
    windows.restart()
    windows.finish()
    assert windows.results == [(("a", TimeWindow(1, 15), [1, 2]), 14)]


def test_window_that_fired_while_lateness_was_allowed_does_not_fire_again_without():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), function=Elements(), allowed_lateness_ms=50))
    windows.process("a", 1, 1)
    windows.watermark(9)
    windows.spec = window_spec(TumblingEventTimeWindows.of(TEN), function=Elements())
    windows.restart()
    windows.finish()
    assert len(windows.results) == 1
    assert windows.backend.number_of_keys() == 0


def test_session_that_fired_while_lateness_was_allowed_fires_again_when_it_grows_without():
    gap = EventTimeSessionWindows.with_gap(TEN)
    windows = WindowHarness(window_spec(gap, function=Elements(), allowed_lateness_ms=50))
    windows.process("a", 1, 1)
    windows.watermark(10)
    windows.spec = window_spec(gap, function=Elements())
    windows.restart()
    windows.process("a", 2, 5)
    windows.watermark(14)
    assert windows.results == [(("a", TimeWindow(1, 11), [1]), 10), (("a", TimeWindow(1, 15), [1, 2]), 14)]
    windows.finish()
    assert len(windows.results) == 2
    assert windows.backend.number_of_keys() == 0


def test_a_session_that_has_grown_fires_once_under_whatever_trigger_it_is_restored():
    gap = EventTimeSessionWindows.with_gap(TEN)
    windows = WindowHarness(window_spec(gap, function=Elements()))
    for value, timestamp in [(1, 0), (2, 25), (3, 8), (4, 16)]:  # the last joins both sessions
        windows.process("a", value, timestamp)
    windows.spec = window_spec(gap, function=Elements(), trigger=LikeTheDefault())
    windows.restart()
    windows.watermark(33)
    assert windows.results == []
    windows.watermark(34)
    assert windows.results == [(("a", TimeWindow(0, 35), [2, 1, 3, 4]), 34)]
    windows.finish()
    assert len(windows.results) == 1
    assert windows.backend.number_of_keys() == 0

"""Windows against a naive reference, over random streams with disorder, late elements, watermarks and restarts.

The reference keeps every pane as a plain list and looks at all of them for each watermark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.unit.window_harness import WindowHarness, window_spec
from wiesel.core.functions import AggregateFunction, ProcessWindowFunction
from wiesel.datastream.window import (
    CountEvictor,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    DeltaEvictor,
    DynamicEventTimeSessionWindows,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    ProcessingTimeSessionWindows,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeEvictor,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

EXAMPLES = examples(200)

# One step of a stream: an element of a key, a watermark that far behind the newest element, or a restart.
ELEMENT = st.tuples(st.just("element"), st.sampled_from("aab"), st.sampled_from(range(-40, 60)))
WATERMARK = st.tuples(st.just("watermark"), st.sampled_from(range(50)))
RESTART = st.just(("restart",))
STEP = st.sampled_from([ELEMENT] * 6 + [WATERMARK, RESTART]).flatmap(lambda step: step)
# The length is drawn first, or most streams would be too short for windows to meet.
STREAM = st.integers(1, 40).flatmap(lambda length: st.lists(STEP, min_size=length, max_size=length))
LATENESS = st.sampled_from([0, 0, 1, 5, 25])


class Panes(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        window = context.window()
        yield key, window.start, window.end, tuple(sorted(elements))


class Collect(AggregateFunction):
    def create_accumulator(self) -> Any:
        return []

    def add(self, value: Any, accumulator: Any) -> Any:
        accumulator.append(value)
        return accumulator

    def get_result(self, accumulator: Any) -> Any:
        return tuple(sorted(accumulator))

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a + acc_b


class PanesOfOne(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        window = context.window()
        (elements,) = elements
        yield key, window.start, window.end, tuple(sorted(elements))


#: Three ways to the same panes: elements kept, accumulated in place, reduced.
WAYS: dict[str, dict[str, Any]] = {
    "process": {"function": Panes()},
    "aggregate": {"aggregate": Collect(), "function": PanesOfOne()},
    "reduce": {"reduce": lambda a, b: a + b, "function": PanesOfOne()},
}


@dataclass
class Pane:
    """Elements of one key in one window."""

    key: str
    start: int
    end: int
    elements: list[int] = field(default_factory=list)

    def row(self) -> tuple[Any, ...]:
        return self.key, self.start, self.end, tuple(sorted(self.elements))


class Reference:
    """What event-time windows have to emit and to drop, step by step."""

    def __init__(self, lateness: int) -> None:
        self.lateness = lateness
        self.watermark = -(2**63)
        self.panes: list[Pane] = []
        self.dropped = 0

    def windows_of(self, value: int, timestamp: int) -> Iterator[tuple[int, int]]:
        raise NotImplementedError

    def pane(self, key: str, start: int, end: int) -> Pane:
        """Return the pane that takes an element of that window; a new one is not yet remembered."""
        for pane in self.panes:
            if (pane.key, pane.start, pane.end) == (key, start, end):
                return pane
        return Pane(key, start, end)

    def element(self, key: str, value: int, timestamp: int) -> list[tuple[Any, ...]]:
        fired, taken = [], False
        for start, end in self.windows_of(value, timestamp):
            pane = self.pane(key, start, end)
            if pane.end - 1 + self.lateness <= self.watermark:
                continue
            taken = True
            pane.elements.append(value)
            if pane not in self.panes:
                self.panes.append(pane)
            if pane.end - 1 <= self.watermark:
                fired.append(pane.row())
        self.dropped += not taken and timestamp + self.lateness <= self.watermark
        return fired

    def advance(self, watermark: int) -> list[tuple[Any, ...]]:
        due = [pane for pane in self.panes if self.watermark < pane.end - 1 <= watermark]
        self.watermark = watermark
        self.panes = [pane for pane in self.panes if pane.end - 1 + self.lateness > watermark]
        return [pane.row() for pane in due]


class FixedReference(Reference):
    def __init__(self, size: int, slide: int, offset: int, lateness: int) -> None:
        super().__init__(lateness)
        self.size, self.slide, self.offset = size, slide, offset

    def windows_of(self, value: int, timestamp: int) -> Iterator[tuple[int, int]]:
        for start in range(timestamp - self.size + 1, timestamp + 1):
            if (start - self.offset) % self.slide == 0:
                yield start, start + self.size


class SessionReference(Reference):
    """Sessions grow: a pane is merged with all that its window overlaps or touches."""

    def gap(self, value: int) -> int:
        return 10

    def windows_of(self, value: int, timestamp: int) -> Iterator[tuple[int, int]]:
        yield timestamp, timestamp + self.gap(value)

    def pane(self, key: str, start: int, end: int) -> Pane:
        merged = Pane(key, start, end)
        for pane in list(self.panes):
            if pane.key == key and pane.start <= end and start <= pane.end:
                self.panes.remove(pane)
                merged.start, merged.end = min(merged.start, pane.start), max(merged.end, pane.end)
                merged.elements += pane.elements
        return merged


class DynamicReference(SessionReference):
    def gap(self, value: int) -> int:
        return 1 + value % 17


def check(assigner: Any, way: str, reference: Reference, stream: list[Any], trigger: Any = None) -> None:
    """Run ``stream`` through the operator and the reference, and compare what each step emits."""
    options = {"trigger": trigger, "allowed_lateness_ms": reference.lateness}
    windows = WindowHarness(window_spec(assigner, **WAYS[way], **options))
    compare_steps(windows, reference, stream, value_of=(lambda number: (number,)) if way == "reduce" else int)


def compare_steps(
    windows: WindowHarness, reference: Reference, stream: list[Any], value_of: Callable[[int], Any] = int
) -> None:
    """Play a stream; an element's value is made of its number."""
    newest = 0
    for number, (kind, *arguments) in enumerate(stream):
        if kind == "restart":
            windows.restart()
            continue
        if kind == "element":
            key, timestamp = arguments
            newest = max(newest, timestamp)
            windows.process(key, value_of(number), timestamp)
            expected = reference.element(key, number, timestamp)
        else:
            watermark = max(newest - arguments[0], reference.watermark)
            windows.watermark(watermark)
            expected = reference.advance(watermark)
        assert Counter(windows.take()) == Counter(expected)
        assert windows.dropped == reference.dropped
    windows.finish()
    assert Counter(windows.take()) == Counter(reference.advance(2**63 - 1))
    assert windows.backend.number_of_keys() == 0


@pytest.mark.parametrize("way", WAYS)
@given(size=st.integers(1, 20), data=st.data(), lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_tumbling_windows_emit_what_the_reference_does(way, size, data, lateness, stream):
    offset = data.draw(st.integers(1 - size, size - 1))
    check(TumblingEventTimeWindows(size, offset), way, FixedReference(size, size, offset, lateness), stream)


@pytest.mark.parametrize("way", WAYS)
@given(size=st.integers(1, 20), slide=st.integers(1, 12), data=st.data(), lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_sliding_windows_emit_what_the_reference_does(way, size, slide, data, lateness, stream):
    offset = data.draw(st.integers(1 - slide, slide - 1))
    check(SlidingEventTimeWindows(size, slide, offset), way, FixedReference(size, slide, offset, lateness), stream)


class UnlikeTheDefault(EventTimeTrigger):
    """Behaves as the default trigger does, but is not it: the operator has to ask."""


@given(size=st.integers(1, 20), slide=st.integers(1, 12), lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_windows_behind_a_trigger_of_the_user_emit_what_the_reference_does(size, slide, lateness, stream):
    reference = FixedReference(size, slide, 0, lateness)
    check(SlidingEventTimeWindows(size, slide, 0), "process", reference, stream, trigger=UnlikeTheDefault())


@given(lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_sessions_behind_a_trigger_of_the_user_emit_what_the_reference_does(lateness, stream):
    check(EventTimeSessionWindows(10), "reduce", SessionReference(lateness), stream, trigger=UnlikeTheDefault())


@pytest.mark.parametrize("assigner", [SlidingEventTimeWindows(20, 6, 0), EventTimeSessionWindows(10)], ids=repr)
@given(lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_checkpoints_are_the_same_whether_the_trigger_is_asked_or_not(assigner, lateness, stream):
    """Each restart changes from the default trigger to one like it or back, and nobody can tell."""
    specs = [
        window_spec(assigner, function=Panes(), trigger=trigger, allowed_lateness_ms=lateness)
        for trigger in (None, UnlikeTheDefault())
    ]
    steady, changing = WindowHarness(specs[0]), WindowHarness(specs[0])
    watermark = newest = -100
    for number, (kind, *arguments) in enumerate(stream):
        if kind == "element":
            key, timestamp = arguments
            newest = max(newest, timestamp)
            steady.process(key, number, timestamp)
            changing.process(key, number, timestamp)
        elif kind == "watermark":
            watermark = max(watermark, newest - arguments[0])
            steady.watermark(watermark)
            changing.watermark(watermark)
        else:
            changing.spec = specs[changing.spec is specs[0]]
            changing.restart()
    steady.finish()
    changing.finish()
    assert Counter(steady.results) == Counter(changing.results)
    assert steady.dropped == changing.dropped
    assert changing.backend.number_of_keys() == 0


@pytest.mark.parametrize("way", WAYS)
@given(lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_sessions_emit_what_the_reference_does(way, lateness, stream):
    check(EventTimeSessionWindows(10), way, SessionReference(lateness), stream)


class GapOfNumber(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return 1 + int(element) % 17


@given(lateness=LATENESS, stream=STREAM)
@example(lateness=0, stream=[("element", "a", 24), ("element", "a", 25), ("element", "a", 24)])
@EXAMPLES
def test_sessions_with_dynamic_gaps_emit_what_the_reference_does(lateness, stream):
    check(DynamicEventTimeSessionWindows(GapOfNumber()), "process", DynamicReference(lateness), stream)


@given(
    size=st.integers(1, 6),
    slide=st.none() | st.integers(1, 8),
    stream=st.lists(st.sampled_from(["a", "b", "restart"]), max_size=40),
)
@example(size=3, slide=None, stream=["a"] * 10)
@EXAMPLES
def test_count_windows_emit_each_full_slice_of_a_keys_elements(size, slide, stream):
    assigner = CountTumblingWindowAssigner(size) if slide is None else CountSlidingWindowAssigner(size, slide)
    windows = WindowHarness(window_spec(assigner, aggregate=Collect()))
    elements: dict[str, list[int]] = defaultdict(list)
    for number, step in enumerate(stream):
        if step == "restart":
            windows.restart()
        else:
            windows.process(step, number)
            elements[step].append(number)
    expected = [
        tuple(numbers[start : start + size])
        for numbers in elements.values()
        for start in range(0, len(numbers) - size + 1, slide or size)
    ]
    assert Counter(value for value, _ in windows.results) == Counter(expected)


CLOCK_STREAM = st.lists(st.one_of(st.sampled_from("ab"), st.integers(0, 15), st.just("restart")), max_size=30)


@given(size=st.integers(1, 20), slide=st.none() | st.integers(1, 12), data=st.data(), stream=CLOCK_STREAM)
@EXAMPLES
def test_processing_time_windows_hold_what_came_while_they_were_open(size, slide, data, stream):
    offset = data.draw(st.integers(1 - (slide or size), (slide or size) - 1))
    if slide is None:
        assigner: Any = TumblingProcessingTimeWindows(size, offset)
    else:
        assigner = SlidingProcessingTimeWindows(size, slide, offset)
    windows = WindowHarness(window_spec(assigner, function=Panes()), now=100)
    reference = FixedReference(size, slide or size, offset, lateness=0)
    reference.watermark = 99
    run_by_clock(windows, reference, stream)


@pytest.mark.parametrize("dynamic", [False, True])
@given(stream=CLOCK_STREAM)
@EXAMPLES
def test_processing_time_sessions_hold_what_came_within_the_gap(dynamic, stream):
    assigner: Any = ProcessingTimeSessionWindows(10)
    if dynamic:
        assigner = ProcessingTimeSessionWindows.with_dynamic_gap(GapOfNumber())
    windows = WindowHarness(window_spec(assigner, function=Panes()), now=100)
    reference = DynamicReference(lateness=0) if dynamic else SessionReference(lateness=0)
    reference.watermark = 99
    run_by_clock(windows, reference, stream)


def run_by_clock(windows: WindowHarness, reference: Reference, stream: list[Any]) -> None:
    """Numbers let so many milliseconds pass; the reference's watermark is the last millisecond that is over."""
    for number, step in enumerate([*stream, 1000]):
        if step == "restart":
            windows.restart()
        elif isinstance(step, int):
            windows.advance(windows.clock.now_ms() + step)
            assert Counter(windows.take()) == Counter(reference.advance(windows.clock.now_ms() - 1))
        else:
            windows.process(step, number)
            assert reference.element(step, number, windows.clock.now_ms()) == []
            assert windows.take() == []
    assert windows.backend.number_of_keys() == 0


# ------------------------------------------------------------------------------------------ global windows, evictors


class InOrder(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield key, tuple(elements)


KEYS = st.lists(st.sampled_from(["a", "a", "b", "restart"]), max_size=40)


@given(every=st.integers(1, 5), purges=st.booleans(), stream=KEYS)
@EXAMPLES
def test_a_global_window_fires_as_often_as_its_trigger_says(every, purges, stream):
    trigger = PurgingTrigger.of(CountTrigger.of(every)) if purges else CountTrigger.of(every)
    windows = WindowHarness(window_spec(GlobalWindows.create(), function=InOrder(), trigger=trigger))
    elements: dict[str, list[int]] = defaultdict(list)
    for number, step in enumerate(stream):
        if step == "restart":
            windows.restart()
        else:
            windows.process(step, number, number)
            elements[step].append(number)
    windows.finish()
    expected = [
        (key, tuple(numbers[end - every if purges else 0 : end]))
        for key, numbers in elements.items()
        for end in range(every, len(numbers) + 1, every)
    ]
    assert Counter(value for value, _ in windows.results) == Counter(expected)


@dataclass
class Kept:
    """Which of the elements of a window an evictor leaves: pairs of number and timestamp, in the order they came."""

    kind: str
    bound: int

    def of(self, elements: list[tuple[int, int]]) -> list[tuple[int, int]]:
        if self.kind == "count":
            return [pair for place, pair in enumerate(elements) if len(elements) - place <= self.bound]
        if self.kind == "time":
            return [pair for pair in elements if all(pair[1] > other[1] - self.bound for other in elements)]
        return [pair for pair in elements if elements[-1][0] - pair[0] < self.bound]

    def evictor(self, after: bool) -> Any:
        if self.kind == "count":
            return CountEvictor.of(self.bound, after)
        if self.kind == "time":
            return TimeEvictor.of(self.bound, after)  # type: ignore[arg-type]
        return DeltaEvictor.of(self.bound, lambda element, last: last - element, after)


KEPT = st.builds(Kept, st.sampled_from(["count", "time", "delta"]), st.integers(1, 12))


def fire(elements: list[tuple[int, int]], kept: Kept, after: bool) -> tuple[int, ...]:
    """Return what the function sees of a window that fires, and leave in it what stays."""
    seen = list(elements) if after else kept.of(elements)
    elements[:] = kept.of(elements) if after else seen
    return tuple(number for number, _ in seen)


@given(
    size=st.integers(1, 20), slide=st.integers(1, 12), lateness=LATENESS, kept=KEPT, after=st.booleans(), stream=STREAM
)
@EXAMPLES
def test_windows_with_an_evictor_emit_what_the_reference_does(size, slide, lateness, kept, after, stream):
    assigner = SlidingEventTimeWindows(size, slide, 0)
    evictor = kept.evictor(after)
    windows = WindowHarness(window_spec(assigner, function=InOrder(), evictor=evictor, allowed_lateness_ms=lateness))
    panes: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    newest, watermark = 0, -(2**63)
    for number, (kind, *arguments) in enumerate([*stream, ("end",)]):
        expected = []
        if kind == "restart":
            windows.restart()
        elif kind == "element":
            key, timestamp = arguments
            newest = max(newest, timestamp)
            windows.process(key, number, timestamp)
            for start in range(timestamp - size + 1, timestamp + 1):
                if start % slide or start + size - 1 + lateness <= watermark:
                    continue
                panes[key, start].append((number, timestamp))
                if start + size - 1 <= watermark:
                    expected.append((key, fire(panes[key, start], kept, after)))
        else:
            before, watermark = watermark, 2**63 - 1 if kind == "end" else max(newest - arguments[0], watermark)
            windows.watermark(watermark)
            for key, start in list(panes):
                if before < start + size - 1 <= watermark:
                    expected.append((key, fire(panes[key, start], kept, after)))
                if start + size - 1 + lateness <= watermark:
                    del panes[key, start]
        assert Counter(windows.take()) == Counter(expected)
    assert windows.backend.number_of_keys() == 0


@given(size=st.integers(1, 20), lateness=LATENESS, stream=STREAM)
@EXAMPLES
def test_sessions_with_an_evictor_emit_what_the_reference_does(size, lateness, stream):
    """An evictor that keeps everything: it must not change how sessions grow and merge."""
    keeps_all = CountEvictor.of(1000)
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows(size), function=Panes(), evictor=keeps_all, allowed_lateness_ms=lateness)
    )
    reference = SessionReference(lateness)
    reference.gap = lambda value: size  # type: ignore[method-assign]
    compare_steps(windows, reference, stream)

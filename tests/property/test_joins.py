"""Joins against naive references, over random streams of two sides: disorder, late elements, watermarks, restarts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.property.test_windows import LATENESS, DynamicReference, FixedReference, Reference, SessionReference
from tests.support.examples import examples
from tests.unit.window_harness import WindowHarness
from wiesel.datastream import DataStream, OutputTag, StreamExecutionEnvironment
from wiesel.datastream.functions import CoGroupFunction, FlatJoinFunction, ProcessJoinFunction, TaggedUnion
from wiesel.datastream.window import (
    DynamicEventTimeSessionWindows,
    EventTimeSessionWindows,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)

EXAMPLES = examples(300)

# One step: an element of a side and a key, a watermark that far behind the newest element, or a restart.
ELEMENT = st.tuples(st.sampled_from(["left", "right"]), st.sampled_from("aab"), st.integers(-40, 60))
WATERMARK = st.tuples(st.just("watermark"), st.integers(-3, 50))
STEP = st.sampled_from([ELEMENT] * 6 + [WATERMARK, st.just(("restart",))]).flatmap(lambda step: step)
STREAM = st.integers(1, 40).flatmap(lambda length: st.lists(STEP, min_size=length, max_size=length))


def spec_of(build: Callable[[DataStream, DataStream], DataStream]) -> Any:
    """Return what a program of two streams makes of them in the end."""
    environment = StreamExecutionEnvironment.get_execution_environment()
    left, right = environment.from_collection([("a", 1)]), environment.from_collection([("a", 2)])
    joined = build(left, right)
    return environment.pipeline.get(joined._upstreams[0].transformation_id).spec


def key(row: Any) -> Any:
    return row[0]


def run(
    harness: WindowHarness,
    stream: list[Any],
    element: Callable[[str, str, int, int], None],
    advance: Callable[[int], None],
) -> None:
    """Play ``stream``; each element's value is its number."""
    newest, watermark = 0, -(2**63)
    for number, (kind, *arguments) in enumerate(stream):
        if kind == "restart":
            harness.restart()
        elif kind == "watermark":
            watermark = max(newest - arguments[0], watermark)
            harness.watermark(watermark)
            advance(watermark)
        else:
            its_key, timestamp = arguments
            newest = max(newest, timestamp)
            element(kind, its_key, number, timestamp)
    harness.finish()
    advance(2**63 - 1)


# ------------------------------------------------------------------------------------------------- window joins


class Groups(CoGroupFunction):
    def co_group(self, first: Any, second: Any) -> Any:
        yield tuple(sorted(first)), tuple(sorted(second))


class TwiceIfEarlier(FlatJoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return [(first, second), (first, second)] if first < second else None


def pairs(first: Any, second: Any) -> Any:
    return [(one, two) for one in first for two in second]


#: What a program does with each window, and what that must come to for the two groups.
JOINS: dict[str, tuple[Any, Callable[[Any, Any], list[Any]]]] = {
    "co_group": (lambda windows: windows.apply(Groups()), lambda first, second: [(first, second)]),
    "join": (lambda windows: windows.apply(lambda one, two: (one, two)), pairs),
    "flat join": (
        lambda windows: windows.apply(TwiceIfEarlier()),
        lambda first, second: [pair for pair in pairs(first, second) if pair[0] < pair[1]] * 2,
    ),
}


class GapOfNumber(SessionWindowTimeGapExtractor):
    def extract(self, element: TaggedUnion) -> int:
        return 1 + int(element.value) % 17


@st.composite
def windows_of_a_join(draw: st.DrawFn) -> tuple[Any, Reference]:
    """Return an assigner and its reference."""
    lateness, size, slide = draw(LATENESS), draw(st.integers(1, 20)), draw(st.integers(1, 12))
    kinds: list[Any] = [
        (TumblingEventTimeWindows(size, 0), FixedReference(size, size, 0, lateness)),
        (SlidingEventTimeWindows(size, slide, 0), FixedReference(size, slide, 0, lateness)),
        (EventTimeSessionWindows(10), SessionReference(lateness)),
        (DynamicEventTimeSessionWindows(GapOfNumber()), DynamicReference(lateness)),
    ]
    assigner, reference = draw(st.sampled_from(kinds))
    return assigner, reference


@pytest.mark.parametrize("join", JOINS)
@given(windows=windows_of_a_join(), stream=STREAM)
@EXAMPLES
def test_window_joins_emit_what_the_reference_does(join, windows, stream):
    assigner, reference = windows
    apply, expected_of = JOINS[join]

    def build(left: DataStream, right: DataStream) -> DataStream:
        streams: Any = left.co_group(right) if join == "co_group" else left.join(right)
        windowed = streams.where(key).equal_to(key).window(assigner).allowed_lateness(reference.lateness)
        joined: DataStream = apply(windowed)
        return joined

    harness = WindowHarness(spec_of(build))
    sides: dict[int, str] = {}

    def compare(panes: list[tuple[Any, ...]]) -> None:
        expected: Counter[Any] = Counter()
        for *_, numbers in panes:
            groups = [tuple(number for number in numbers if sides[number] == side) for side in ("left", "right")]
            expected.update(expected_of(*groups))
        assert Counter(harness.take()) == expected
        assert harness.dropped == reference.dropped

    def element(side: str, its_key: str, number: int, timestamp: int) -> None:
        sides[number] = side
        harness.process(its_key, TaggedUnion(side == "left", number), timestamp)
        compare(reference.element(its_key, number, timestamp))

    run(harness, stream, element, lambda watermark: compare(reference.advance(watermark)))
    assert harness.backend.number_of_keys() == 0


# ----------------------------------------------------------------------------------------------- interval joins


class IntervalReference:
    """Keeps both sides as plain lists and looks at all of them for each element."""

    def __init__(self, lower: int, upper: int) -> None:
        self.lower, self.upper = lower, upper
        self.watermark = -(2**63)
        self.sides: dict[str, list[tuple[str, int, int]]] = {"left": [], "right": []}
        self.late: dict[str, list[tuple[int, int]]] = {"left": [], "right": []}

    def element(self, side: str, its_key: str, number: int, timestamp: int) -> list[Any]:
        if timestamp < self.watermark:
            self.late[side].append((number, timestamp))
            return []
        self.sides[side].append((its_key, number, timestamp))
        mine = {side: [(its_key, number, timestamp)]}
        return interval_pairs({**self.sides, **mine}, self.lower, self.upper)

    def advance(self, watermark: int) -> None:
        """An element stays while one of the other side that is still to come could meet it."""
        self.watermark = watermark
        beyond = {"left": max(self.upper, 0), "right": max(-self.lower, 0)}
        for side, elements in self.sides.items():
            elements[:] = [element for element in elements if element[2] + beyond[side] > watermark]


def interval_pairs(sides: dict[str, list[tuple[str, int, int]]], lower: int, upper: int) -> list[Any]:
    return [
        ((left, right), max(left_time, right_time))
        for left_key, left, left_time in sides["left"]
        for right_key, right, right_time in sides["right"]
        if left_key == right_key and lower <= right_time - left_time <= upper
    ]


class Pairs(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Any:
        assert ctx.get_timestamp() == max(ctx.get_left_timestamp(), ctx.get_right_timestamp())
        yield left, right


@given(
    lower=st.integers(-30, 30),
    width=st.integers(0, 25),
    lower_exclusive=st.booleans(),
    upper_exclusive=st.booleans(),
    keeps_late=st.booleans(),
    stream=STREAM,
)
@example(
    lower=0,
    width=2,
    lower_exclusive=False,
    upper_exclusive=False,
    keeps_late=False,
    stream=[("left", "a", 5), ("left", "a", 4), ("watermark", 0), ("right", "a", 5), ("right", "a", 6)],
)
@EXAMPLES
def test_interval_joins_emit_what_the_reference_does(
    lower, width, lower_exclusive, upper_exclusive, keeps_late, stream
):
    upper = lower + width + lower_exclusive + upper_exclusive
    tags = {"left": OutputTag("late left"), "right": OutputTag("late right")}

    def build(left: DataStream, right: DataStream) -> DataStream:
        joined = left.key_by(key).interval_join(right.key_by(key)).between(lower, upper)
        joined = joined.lower_bound_exclusive() if lower_exclusive else joined
        joined = joined.upper_bound_exclusive() if upper_exclusive else joined
        if keeps_late:
            joined = joined.side_output_left_late_data(tags["left"]).side_output_right_late_data(tags["right"])
        return joined.process(Pairs())

    side_outputs = tuple(tag.tag_id for tag in tags.values()) if keeps_late else ()
    harness = WindowHarness(spec_of(build), side_outputs=side_outputs, inputs=2)
    reference = IntervalReference(lower + lower_exclusive, upper - upper_exclusive)
    everything: dict[str, list[tuple[str, int, int]]] = {"left": [], "right": []}
    emitted: Counter[Any] = Counter()
    in_time = True

    def element(side: str, its_key: str, number: int, timestamp: int) -> None:
        nonlocal in_time
        in_time = in_time and timestamp > reference.watermark
        everything[side].append((its_key, number, timestamp))
        harness.process(its_key, number, timestamp, input_index=int(side == "right"))
        assert Counter(harness.results) == Counter(reference.element(side, its_key, number, timestamp))
        emitted.update(harness.results)
        harness.results.clear()

    run(harness, stream, element, reference.advance)
    assert harness.results == []
    assert harness.backend.number_of_keys() == 0
    late = [late for side in ("left", "right") for late in reference.late[side]]
    if keeps_late:
        assert [row for tag in side_outputs for row in harness.sides[tag]] == late
    assert harness.dropped == (0 if keeps_late else len(late))
    if in_time:  # then nothing that the interval holds may be missing
        assert emitted == Counter(interval_pairs(everything, reference.lower, reference.upper))

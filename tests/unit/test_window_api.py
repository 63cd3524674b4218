"""Windows as values, the arguments of assigners, and the names that PyFlink has."""

from __future__ import annotations

import inspect
import json
import pickle
from importlib import resources
from io import BytesIO
from typing import Any

import pytest

from wiesel.common import Duration, Time
from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.windows import namespace_to_window, window_to_namespace
from wiesel.datastream import window as api
from wiesel.datastream.window import (
    CountSlidingWindowAssigner,
    CountTumblingWindowAssigner,
    CountWindow,
    CountWindowSerializer,
    EventTimeSessionWindows,
    GlobalWindow,
    GlobalWindowSerializer,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeWindow,
    TimeWindowSerializer,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    Window,
)

WINDOWS = [TimeWindow(0, 10), TimeWindow(-10, 0), CountWindow(0), CountWindow(7), GlobalWindow.get()]


@pytest.mark.parametrize("window", WINDOWS, ids=repr)
def test_window_is_a_value(window):
    copy = pickle.loads(pickle.dumps(window))
    assert copy == window
    assert hash(copy) == hash(window)
    assert type(copy) is type(window)
    assert [other for other in WINDOWS if other == window] == [window]
    assert namespace_to_window(window_to_namespace(window)) == window


def test_windows_print_as_in_pyflink():
    assert [repr(window) for window in WINDOWS[::2]] == [
        "TimeWindow(start=0, end=10)",
        "CountWindow(id=0)",
        "GlobalWindow",
    ]


def test_windows_are_ordered_within_their_kind():
    assert sorted([TimeWindow(5, 6), TimeWindow(0, 9), TimeWindow(0, 7)]) == [
        TimeWindow(0, 7),
        TimeWindow(0, 9),
        TimeWindow(5, 6),
    ]
    assert CountWindow(1) < CountWindow(2) <= CountWindow(2)
    assert GlobalWindow() >= GlobalWindow()
    with pytest.raises(TypeError):
        assert TimeWindow(0, 1) < CountWindow(1)


def test_only_time_windows_end():
    assert TimeWindow(0, 10).max_timestamp() == 9
    assert CountWindow(3).max_timestamp() == GlobalWindow().max_timestamp() == MAX_WATERMARK


@pytest.mark.parametrize(
    ("serializer", "window", "data"),
    [
        (TimeWindowSerializer(), TimeWindow(-1, 258), b"\xff" * 8 + b"\0\0\0\0\0\0\1\2"),
        (CountWindowSerializer(), CountWindow(7), b"\0\0\0\0\0\0\0\7"),
        (GlobalWindowSerializer(), GlobalWindow(), b"\0"),
    ],
)
def test_serializers_write_flinks_bytes(serializer, window, data):
    stream = BytesIO()
    serializer.serialize(window, stream)
    assert stream.getvalue() == data
    assert serializer.deserialize(BytesIO(data)) == window
    assert serializer == type(serializer)()


def test_a_window_of_the_user_stands_for_itself_in_state():
    class Labelled(TimeWindow):
        pass

    window = Labelled(0, 1)
    assert namespace_to_window(window_to_namespace(window)) is window
    assert window != TimeWindow(0, 1)


def test_window_starts_are_epoch_aligned_also_before_it():
    start = TimeWindow.get_window_start_with_offset
    assert [start(t, 0, 10) for t in (0, 9, 10, -1, -10, -11)] == [0, 0, 10, -10, -10, -20]
    assert [start(t, -3, 10) for t in (0, 6, 7)] == [-3, -3, 7]


class Merges:
    def __init__(self) -> None:
        self.merged: dict[TimeWindow, set[TimeWindow]] = {}

    def merge(self, to_be_merged: Any, merge_result: TimeWindow) -> None:
        self.merged[merge_result] = set(to_be_merged)


def test_time_windows_that_overlap_or_touch_merge():
    merges = Merges()
    windows = [TimeWindow(20, 30), TimeWindow(0, 5), TimeWindow(5, 7), TimeWindow(25, 26), TimeWindow(8, 9)]
    TimeWindow.merge_windows(windows, merges)  # type: ignore[arg-type]
    assert merges.merged == {
        TimeWindow(0, 7): {TimeWindow(0, 5), TimeWindow(5, 7)},
        TimeWindow(20, 30): {TimeWindow(20, 30), TimeWindow(25, 26)},
    }


def test_assigners_take_time_and_duration_alike():
    for amount in (Time.seconds, Duration.of_seconds):
        assert repr(TumblingEventTimeWindows.of(amount(5))) == "TumblingEventTimeWindows(5000, 0)"
        assert (
            repr(TumblingProcessingTimeWindows.of(amount(5), amount(1))) == "TumblingProcessingTimeWindows(5000, 1000)"
        )
        assert repr(SlidingEventTimeWindows.of(amount(5), amount(2))) == "SlidingEventTimeWindows(5000, 2000, 0)"
        assert repr(EventTimeSessionWindows.with_gap(amount(5))) == "EventTimeSessionWindows(5000)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TumblingEventTimeWindows(10, 10), "TumblingEventTimeWindows parameters must satisfy abs"),
        (lambda: TumblingEventTimeWindows(0, 0), "TumblingEventTimeWindows parameters must satisfy abs"),
        (lambda: SlidingProcessingTimeWindows(10, 5, 5), "abs.offset. < slide and size > 0"),
        (lambda: SlidingEventTimeWindows(0, 5, 0), "abs.offset. < slide and size > 0"),
        (lambda: EventTimeSessionWindows(0), "EventTimeSessionWindows parameters must satisfy 0 < size"),
        (lambda: CountTumblingWindowAssigner.of(0), "size above 0"),
        (lambda: CountSlidingWindowAssigner.of(1, 0), "slide above 0"),
    ],
)
def test_arguments_that_make_no_windows_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_gap_extractor_must_be_an_object_with_extract():
    with pytest.raises(TypeError, match="SessionWindowTimeGapExtractor, got function"):
        EventTimeSessionWindows.with_dynamic_gap(lambda element: 5)  # type: ignore[arg-type]


def test_trigger_results_say_what_happens():
    assert [(r.is_fire(), r.is_purge()) for r in TriggerResult] == [r.value for r in TriggerResult]


def test_window_must_say_when_it_ends():
    with pytest.raises(TypeError, match="max_timestamp"):
        Window()  # type: ignore[abstract]


def manifest(module: str) -> dict[str, Any]:
    text = (resources.files("wiesel.compat") / "api-2.3.json").read_text()
    names = json.loads(text)
    members: dict[str, Any] = names.get("modules", names)[module]
    return members


@pytest.mark.parametrize(
    ("module", "room", "only"),
    [
        ("datastream.window", api, None),
        ("metrics", __import__("wiesel.metrics", fromlist=["Counter"]), None),
        ("datastream.state", __import__("wiesel.core.state_ttl", fromlist=["StateTtlConfig"]), ["StateTtlConfig"]),
    ],
    ids=["windows", "metrics", "ttl"],
)
def test_every_name_of_pyflink_is_there_with_its_parameters(module, room, only):
    def missing(path: str, mine: Any, wanted: dict[str, Any]) -> list[str]:
        if mine is None:
            return [path]
        problems = [
            problem
            for name, member in wanted.get("members", {}).items()
            for problem in missing(f"{path}.{name}", getattr(mine, name, None), member)
        ]
        if "params" in wanted and callable(mine):
            names = [name for name in inspect.signature(mine).parameters if name != "self"]
            expected = [parameter["name"] for parameter in wanted["params"]]
            if names[: len(expected)] != expected:
                problems.append(f"{path}{expected} is {names}")
        return problems

    names = {name: member for name, member in manifest(module).items() if only is None or name in only}
    assert names
    assert [p for name, member in names.items() for p in missing(name, getattr(room, name, None), member)] == []

"""Metrics that functions register, and what the engine reads of them."""

from __future__ import annotations

import pytest

from wiesel.core.metrics import TaskMetricGroup


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counter_goes_up_and_down():
    counter = TaskMetricGroup().counter("records")
    counter.inc()
    counter.inc(5)
    counter.dec(2)
    assert counter.get_count() == 4


def test_same_name_is_the_same_metric():
    group = TaskMetricGroup()
    assert group.counter("n") is group.counter("n")
    assert group.add_group("a").counter("n") is group.add_group("a").counter("n")
    assert group.add_group("a").counter("n") is not group.counter("n")


def test_name_of_one_kind_cannot_be_of_another():
    group = TaskMetricGroup()
    group.counter("n")
    with pytest.raises(ValueError, match="'n' is a Counter already"):
        group.meter("n")


def test_gauge_is_asked_when_it_is_read_and_replaced_by_the_next():
    group = TaskMetricGroup()
    group.gauge("size", lambda: 1)
    group.gauge("size", lambda: 2)
    assert list(group.read()) == [(("size",), 2)]
    with pytest.raises(TypeError, match="needs a callable"):
        group.gauge("size", 3)  # type: ignore[arg-type]


def test_distribution_knows_extremes_and_mean():
    distribution = TaskMetricGroup().distribution("delay")
    assert distribution.read() == {"count": 0, "sum": 0}
    for value in (4, -1, 6):
        distribution.update(value)
    assert distribution.read() == {"count": 3, "sum": 9, "min": -1, "max": 6, "mean": 3}


def test_meter_rate_is_that_of_its_time_span():
    clock = Seconds()
    meter = TaskMetricGroup(monotonic=clock).meter("events", time_span_in_seconds=10)
    meter.mark_event(50)
    clock.now += 5
    assert meter.rate() == 10
    for _ in range(20):
        clock.now += 1
        meter.mark_event(3)
        meter.rate()
    assert meter.rate() == pytest.approx(3)
    assert meter.get_count() == 110


def test_numbers_carry_their_scope():
    group = TaskMetricGroup(("task",))
    group.counter("n").inc()
    group.add_group("topic", "flights").distribution("size").update(2)
    assert dict(group.read()) == {
        ("task", "n"): 1,
        ("task", "topic", "flights", "size", "count"): 1,
        ("task", "topic", "flights", "size", "sum"): 2,
        ("task", "topic", "flights", "size", "min"): 2,
        ("task", "topic", "flights", "size", "max"): 2,
        ("task", "topic", "flights", "size", "mean"): 2,
    }

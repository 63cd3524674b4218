"""The input gate: channels take turns, barriers are aligned, watermarks are the minimum of those that count."""

from typing import Any

import pytest

from wiesel.core.elements import (
    MAX_WATERMARK,
    Batch,
    CheckpointBarrier,
    Element,
    EndOfInput,
    Watermark,
    WatermarkStatus,
)
from wiesel.runtime.exchange.channel import CAPACITY, LocalChannel
from wiesel.runtime.exchange.input_gate import InputBatch, InputGate


class Gate:
    """A gate over channels that belong to logical inputs."""

    def __init__(self, *inputs: int) -> None:
        self.channels = [LocalChannel() for _ in inputs]
        self.gate = InputGate(list(zip(self.channels, inputs, strict=True)))

    def put(self, channel: int, *elements: Element | int) -> None:
        for element in elements:
            self.channels[channel].put(Batch([element], [0]) if isinstance(element, int) else element)

    def take(self) -> list[Any]:
        """Take everything there is, records as (input, value)."""
        taken: list[Any] = []
        while (event := self.gate.next()) is not None:
            taken += [(event.input_index, v) for v in event.batch.values] if isinstance(event, InputBatch) else [event]
        return taken


def test_channels_take_turns_and_tell_their_logical_input() -> None:
    gate = Gate(0, 1)
    gate.put(0, 1, 2)
    gate.put(1, 10, 20)
    assert gate.take() == [(0, 1), (1, 10), (0, 2), (1, 20)]


def test_a_barrier_goes_on_when_it_has_come_through_every_channel_and_holds_what_is_behind_it() -> None:
    gate = Gate(0, 0)
    gate.put(0, 1, CheckpointBarrier(1), 2)
    gate.put(1, 10)
    assert gate.take() == [(0, 1), (0, 10)]
    assert gate.gate.is_empty()
    gate.put(1, 11, CheckpointBarrier(1), 12)
    assert gate.take() == [(0, 11), CheckpointBarrier(1), (0, 2), (0, 12)]


def test_a_later_barrier_ends_an_alignment_that_will_never_be_complete() -> None:
    gate = Gate(0, 0)
    gate.put(0, CheckpointBarrier(1), 1, CheckpointBarrier(2))
    assert gate.take() == []
    gate.put(1, CheckpointBarrier(2), 10)
    assert gate.take() == [(0, 1), CheckpointBarrier(2), (0, 10)]


def test_the_barrier_of_an_older_checkpoint_is_dropped() -> None:
    gate = Gate(0, 0)
    gate.put(0, CheckpointBarrier(2))
    gate.put(1, CheckpointBarrier(1), 10, CheckpointBarrier(2))
    assert gate.take() == [(0, 10), CheckpointBarrier(2)]
    gate.put(0, CheckpointBarrier(1), 1)
    assert gate.take() == [(0, 1)]


def test_a_suspending_barrier_stays_one() -> None:
    gate = Gate(0, 0)
    gate.put(0, CheckpointBarrier(1, suspend=True))
    gate.put(1, CheckpointBarrier(1, suspend=True))
    assert gate.take() == [CheckpointBarrier(1, suspend=True)]


def test_barriers_still_align_behind_the_end_of_a_channel() -> None:
    gate = Gate(0, 0)
    gate.put(0, EndOfInput(), CheckpointBarrier(1))
    gate.put(1, 10, CheckpointBarrier(1))
    assert gate.take() == [(0, 10), CheckpointBarrier(1)]


def test_the_watermark_is_the_lowest_of_all_channels_and_never_goes_back() -> None:
    gate = Gate(0, 0)
    gate.put(0, Watermark(10))
    assert gate.take() == []
    gate.put(1, Watermark(5))
    assert gate.take() == [Watermark(5)]
    gate.put(1, Watermark(3), Watermark(20))
    assert gate.take() == [Watermark(10)]


def test_an_idle_channel_holds_no_watermark_back() -> None:
    gate = Gate(0, 0)
    gate.put(0, Watermark(10))
    gate.put(1, WatermarkStatus(idle=True))
    assert gate.take() == [Watermark(10)]


def test_the_gate_is_idle_when_all_channels_are_and_says_so_once() -> None:
    gate = Gate(0, 0)
    gate.put(0, WatermarkStatus(idle=True))
    assert gate.take() == []
    gate.put(1, WatermarkStatus(idle=True))
    assert gate.take() == [WatermarkStatus(idle=True)]
    gate.put(1, WatermarkStatus(idle=False))
    assert gate.take() == [WatermarkStatus(idle=False)]


def test_before_the_last_channel_goes_idle_event_time_reaches_the_highest_of_all() -> None:
    gate = Gate(0, 0)
    gate.put(0, Watermark(10))
    gate.put(1, Watermark(5))
    assert gate.take() == [Watermark(5)]
    gate.put(0, WatermarkStatus(idle=True))
    gate.put(1, WatermarkStatus(idle=True))
    assert gate.take() == [Watermark(10), WatermarkStatus(idle=True)]


def test_a_channel_that_comes_back_behind_the_others_counts_again_when_it_has_caught_up() -> None:
    gate = Gate(0, 0)
    gate.put(1, WatermarkStatus(idle=True))
    gate.put(0, Watermark(10))
    assert gate.take() == [Watermark(10)]
    gate.put(1, WatermarkStatus(idle=False), Watermark(5))
    assert gate.take() == []
    gate.put(0, Watermark(20))
    assert gate.take() == [Watermark(20)], "its records are late anyway, so it holds nobody back"
    gate.put(1, Watermark(20))
    gate.put(0, Watermark(30))
    assert gate.take() == []
    gate.put(1, Watermark(25))
    assert gate.take() == [Watermark(25)]


def test_the_input_ends_when_every_channel_has() -> None:
    gate = Gate(0, 1)
    gate.put(0, Watermark(MAX_WATERMARK), EndOfInput())
    assert gate.take() == []
    gate.put(1, 10, Watermark(MAX_WATERMARK), EndOfInput())
    assert gate.take() == [(1, 10), Watermark(MAX_WATERMARK), EndOfInput()]


@pytest.mark.parametrize("size", [CAPACITY, CAPACITY + 100])
def test_a_channel_takes_what_it_is_given_and_has_no_credit_when_full(size: int) -> None:
    channel = LocalChannel()
    channel.put(Batch(list(range(CAPACITY - 1)), [0] * (CAPACITY - 1)))
    assert channel.has_credit()
    channel.put(Batch(list(range(size)), [0] * size))
    channel.put(Watermark(1))
    assert not channel.has_credit()
    channel.poll()
    channel.poll()
    assert channel.has_credit()
    assert channel.poll() == Watermark(1)
    assert channel.is_empty()

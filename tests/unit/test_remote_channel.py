"""Channels between processes: order, credit, and what a frame brings back."""

from __future__ import annotations

import pickle
import sys
from collections import deque

import pytest

from wiesel.core.elements import (
    MIN_TIMESTAMP,
    Batch,
    CheckpointBarrier,
    Element,
    EndOfInput,
    Watermark,
    WatermarkStatus,
)
from wiesel.runtime.exchange.channel import CAPACITY
from wiesel.runtime.exchange.remote_channel import (
    CAPACITY_BYTES,
    CREDIT_STEP,
    CREDIT_STEP_BYTES,
    IncomingChannel,
    OutgoingChannel,
    decode,
    encode,
)


class Pair:
    """Two ends and a transport that delivers when told to."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.grants: deque[tuple[int, int]] = deque()
        self.outgoing = OutgoingChannel(self.frames.append)
        self.incoming = IncomingChannel(lambda records, size: self.grants.append((records, size)))

    def deliver(self) -> None:
        while self.frames:
            self.incoming.receive(self.frames.popleft())

    def return_credit(self) -> None:
        while self.grants:
            self.outgoing.grant(*self.grants.popleft())


def batch(size: int, first: int = 0) -> Batch:
    return Batch(list(range(first, first + size)), [MIN_TIMESTAMP] * size)


def told(element: Element | None) -> object:
    """An element as something that can be compared."""
    return (element.values, element.timestamps, element.keys) if isinstance(element, Batch) else element


@pytest.mark.parametrize(
    "element",
    [
        Batch(["a", ("b", 1), None], [1, 2, MIN_TIMESTAMP], ["k", "l", "m"]),
        Batch([{"x": 1}, {"x": 2}], [MIN_TIMESTAMP, MIN_TIMESTAMP]),
        Batch([True, 1, 1.0], [5, 5, 5], [True, 1, 1.0]),
        Watermark(17),
        WatermarkStatus(True),
        CheckpointBarrier(3, suspend=True),
        EndOfInput(),
    ],
)
def test_an_element_comes_out_as_it_went_in(element: Element) -> None:
    back = decode(encode(element))
    assert told(back) == told(element)
    if isinstance(element, Batch) and isinstance(back, Batch):
        assert list(map(type, back.values)) == list(map(type, element.values))


def test_elements_keep_their_order() -> None:
    pair = Pair()
    sent: list[Element] = [batch(2), Watermark(1), batch(1, 2), CheckpointBarrier(1), EndOfInput()]
    for element in sent:
        pair.outgoing.put(element)
    pair.deliver()
    assert [told(pair.incoming.poll()) for _ in sent] == [told(element) for element in sent]
    assert pair.incoming.poll() is None and pair.incoming.is_empty()


def test_a_sender_whose_records_nobody_takes_is_held_back() -> None:
    pair = Pair()
    sent = 0
    while pair.outgoing.has_credit():
        pair.outgoing.put(batch(512))
        sent += 512
        pair.deliver()
        pair.return_credit()
    assert sent == CAPACITY
    assert not pair.grants, "what has arrived is not taken yet"


def test_control_elements_need_no_credit() -> None:
    pair = Pair()
    pair.outgoing.put(batch(CAPACITY))
    pair.outgoing.put(CheckpointBarrier(1))
    pair.deliver()
    pair.incoming.poll()
    assert pair.incoming.poll() == CheckpointBarrier(1)


def test_credit_comes_back_when_records_are_taken() -> None:
    pair = Pair()
    pair.outgoing.put(batch(CAPACITY - CREDIT_STEP))
    pair.outgoing.put(batch(CREDIT_STEP))
    pair.deliver()
    pair.incoming.poll()
    pair.return_credit()
    assert pair.outgoing.has_credit()


@pytest.mark.parametrize("size", [1, 7, CREDIT_STEP - 1, CREDIT_STEP, CAPACITY + 100])
def test_a_receiver_that_takes_everything_never_starves_the_sender(size: int) -> None:
    pair = Pair()
    for _ in range(5 * CAPACITY // size + 5):
        assert pair.outgoing.has_credit()
        pair.outgoing.put(batch(size))
        pair.deliver()
        while pair.incoming.poll() is not None:
            pass
        pair.return_credit()


def test_records_under_way_never_exceed_the_capacity_by_more_than_one_batch() -> None:
    pair = Pair()
    sent = taken = 0
    for turn in range(3000):
        if pair.outgoing.has_credit():
            pair.outgoing.put(batch(100))
            sent += 100
        pair.deliver()
        if turn % 3 == 0 and (element := pair.incoming.poll()) is not None:
            taken += len(element) if isinstance(element, Batch) else 0
        pair.return_credit()
        assert sent - taken < CAPACITY + 100


def test_bytes_under_way_never_exceed_their_capacity_by_more_than_one_batch_and_large_records_come_through() -> None:
    pair = Pair()
    record, taken = b"x" * (CREDIT_STEP_BYTES // 3), 0
    sent = 0
    for turn in range(300):
        if pair.outgoing.has_credit():
            pair.outgoing.put(Batch([record], [1]))
            sent += 1
        pair.deliver()
        if turn % 3 == 0 and pair.incoming.poll() is not None:
            taken += 1
        pair.return_credit()
        assert (sent - taken) * len(record) < CAPACITY_BYTES + CREDIT_STEP_BYTES
    assert taken == 100, "the sender was never starved"


def test_a_record_that_cannot_be_pickled_is_refused_where_it_is_sent() -> None:
    pair = Pair()
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pair.outgoing.put(Batch([sys.stdout.fileno, (n for n in [1])], [1, 1]))
    assert not pair.frames


def test_bytes_of_records_are_counted_at_both_ends_and_control_elements_are_none() -> None:
    pair = Pair()
    pair.outgoing.put(Watermark(1))
    for size in (10, 1000):
        pair.outgoing.put(batch(size))
    sent = sum(map(len, pair.frames)) - len(encode(Watermark(1)))
    pair.deliver()
    assert (pair.outgoing.bytes_sent, pair.incoming.bytes_received) == (sent, 0)
    pair.incoming.poll()
    pair.incoming.poll()
    assert 0 < pair.incoming.bytes_received < sent
    pair.incoming.poll()
    assert pair.incoming.bytes_received == sent

"""What workers and the driver are made of: connections, shipped errors, shared stdout, forwarded logs."""

from __future__ import annotations

import logging
import os
import pickle
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from wiesel.cluster.workers.connection import Connection
from wiesel.cluster.workers.errors import restore_error, ship_error
from wiesel.cluster.workers.output import LogForwarder, WholeLines
from wiesel.cluster.workers.peers import PeerExchange
from wiesel.cluster.workers.poller import Poller
from wiesel.cluster.workers.protocol import worker_of
from wiesel.core.elements import MIN_TIMESTAMP, Batch, Element
from wiesel.core.errors import FencedError, JobExecutionError, WieselError, is_retriable
from wiesel.runtime.exchange.channel import CAPACITY

Frame = tuple[int, int, bytes]


Pair = tuple[Connection, Connection]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ends = [Connection(end.detach()) for end in socket.socketpair()]
    yield ends[0], ends[1]
    for end in ends:
        end.close()


def carried(one: Connection, other: Connection) -> list[Frame]:
    frames: list[Frame] = []
    while not one.flush() or not frames:
        frames += other.receive()
    while received := other.receive():
        frames += received
    return frames


# ------------------------------------------------------------------------------------------------ connections


def test_frames_arrive_whole_and_in_order_whatever_their_size(pair: Pair) -> None:
    one, other = pair
    chance = random.Random(7)
    sizes = [0, 1, 100, 300_000, 5, 2_000_000, 0, *(chance.randrange(5000) for _ in range(2000))]
    sent = [(number, number % 2, bytes([number % 251]) * size) for number, size in enumerate(sizes)]
    for channel, kind, payload in sent:
        one.send(payload, channel, kind)
    received: list[Frame] = []
    while len(received) < len(sent):
        one.flush()
        received += other.receive()
    assert received == sent


def test_a_full_socket_does_not_hold_the_sender_up(pair: Pair) -> None:
    one, other = pair
    one.send(b"x" * 10_000_000)
    assert not one.flush()
    assert len(carried(one, other)[0][2]) == 10_000_000
    assert one.flush()


def test_a_connection_whose_other_end_is_gone_is_closed_and_takes_frames_without_a_word(pair: Pair) -> None:
    one, other = pair
    other.close()
    one.receive()
    assert one.is_closed
    one.send(b"lost")
    assert one.flush()


def test_the_first_frame_can_be_waited_for_and_those_behind_it_are_kept(pair: Pair) -> None:
    one, other = pair
    one.send(b"first")
    one.send(b"second")
    one.flush()
    assert other.wait_for_first() == b"first"
    assert other.receive() == [(0, 0, b"second")]


def test_no_first_frame_comes_from_a_connection_that_ends(pair: Pair) -> None:
    one, other = pair
    one.close()
    assert other.wait_for_first() is None


# ------------------------------------------------------------------------------------------------- exchange


class Two:
    """Two workers' exchanges, joined by a real socket pair."""

    def __init__(self, connections: Pair) -> None:
        self.connections = connections
        self.exchanges = [PeerExchange(n, 2, {1 - n: self.connections[n]}) for n in range(2)]
        self.pollers = [Poller(), Poller()]
        for n in range(2):
            self.pollers[n].add(self.connections[n], self.exchanges[n].receive)

    def exchange(self) -> None:
        for poller in self.pollers:
            poller.exchange(0.0)


@pytest.fixture
def two(pair: Pair) -> Iterator[Two]:
    two = Two(pair)
    yield two
    for poller in two.pollers:
        poller.close()


def test_subtask_i_of_every_vertex_lives_in_worker_i_modulo_their_number() -> None:
    assert [worker_of(subtask, 3) for subtask in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    assert [subtask for subtask in range(4) if PeerExchange(1, 2, {}).is_local(subtask)] == [1, 3]


def test_a_channel_nobody_reads_does_not_hold_up_another_on_the_same_socket(two: Two) -> None:
    stuck, flowing = (two.exchanges[0].outgoing(channel, 1) for channel in (1, 2))
    _, read = (two.exchanges[1].incoming(channel, 0) for channel in (1, 2))
    batch = Batch(["x" * 100] * 256, [MIN_TIMESTAMP] * 256)
    while stuck.has_credit():
        stuck.put(batch)
    taken = 0
    for _ in range(20 * CAPACITY // 256):
        if flowing.has_credit():
            flowing.put(batch)
        two.exchange()
        while isinstance(element := read.poll(), Batch):
            taken += len(element)
    assert not stuck.has_credit()
    assert taken > 10 * CAPACITY


def test_both_directions_full_at_once_come_to_an_end(two: Two) -> None:
    outgoing = [two.exchanges[n].outgoing(n, 1 - n) for n in range(2)]
    incoming = [two.exchanges[1 - n].incoming(n, n) for n in range(2)]
    for end in outgoing:
        while end.has_credit():
            end.put(Batch(["x" * 1000] * 512, [MIN_TIMESTAMP] * 512))  # far more than the socket takes
    taken = [0, 0]
    for _ in range(1000):
        two.exchange()
        for n in range(2):
            element: Element | None = incoming[n].poll()
            taken[n] += len(element) if isinstance(element, Batch) else 0
    assert taken == [CAPACITY, CAPACITY]


def test_a_wake_ends_the_next_sleep_and_only_that() -> None:
    poller = Poller()
    poller.wake()
    poller.wake()
    poller.exchange(60.0)
    poller.wake()
    poller.exchange(60.0)
    poller.exchange(0.0)
    poller.close()


# --------------------------------------------------------------------------------------------------- errors


class Unloadable(Exception):
    """Pickles, and then its arguments do not fit."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"{number} {reason}")


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_a_failed_function_arrives_with_operator_record_cause_and_traceback() -> None:
    failure = raised(
        JobExecutionError(
            "ValueError: no [operator 'm']", operator="m", subtask=1, record="7", location="t-0 offset 3"
        ),
        raised(ValueError("no")),
    )
    back = restore_error(ship_error(failure, verbose=False))
    assert isinstance(back, JobExecutionError)
    assert (str(back), back.operator, back.subtask) == ("ValueError: no [operator 'm']", "m", 1)
    assert (back.record, back.location) == ("7", "t-0 offset 3")
    assert isinstance(back.__cause__, ValueError) and str(back.__cause__) == "no"
    assert back.traceback_text is not None
    assert ", in raised" in back.traceback_text and back.traceback_text.endswith("ValueError: no\n")


def test_a_cause_that_cannot_be_loaded_again_arrives_as_text_and_is_still_retried() -> None:
    failure = raised(JobExecutionError("failed"), raised(Unloadable(7, "is odd")))
    back = restore_error(ship_error(failure, verbose=False))
    assert str(back.__cause__) == "Unloadable: 7 is odd"
    assert is_retriable(back)


def test_any_exception_becomes_the_jobs_failure() -> None:
    back = restore_error(ship_error(raised(FileNotFoundError("model.bin")), verbose=False))
    assert isinstance(back, JobExecutionError)
    assert str(back) == "FileNotFoundError: model.bin"
    assert isinstance(back.__cause__, FileNotFoundError)


def errors_of_ours(kind: type[WieselError] = WieselError) -> list[type[WieselError]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in errors_of_ours(sub))]


@pytest.mark.parametrize("kind", errors_of_ours(), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_stays_what_it_is(kind: type[WieselError]) -> None:
    back = restore_error(ship_error(raised(kind("text")), verbose=False))
    assert type(back) is kind and str(back) == "text"


def test_an_error_that_must_not_be_retried_still_must_not() -> None:
    failure = raised(JobExecutionError("failed"), raised(FencedError("another one owns it")))
    assert not is_retriable(restore_error(ship_error(failure, verbose=False)))


def test_an_error_of_ours_that_cannot_be_pickled_arrives_as_its_text() -> None:
    error = FencedError("fenced")
    error.__dict__["client"] = lambda: None
    error.__dict__["handle"] = (n for n in [1])
    back = restore_error(ship_error(raised(error), verbose=False))
    assert isinstance(back, JobExecutionError) and str(back) == "fenced"
    assert not is_retriable(back)


# --------------------------------------------------------------------------------------------------- output


def written(*pieces: bytes, at_each_line: bool = False) -> list[bytes]:
    """What each system call wrote, as a pipe that keeps packets apart tells it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.setblocking(False)
        raw = WholeLines(ours.fileno(), at_each_line)
        for piece in pieces:
            raw.write(piece)
        found = []
        try:
            while True:
                found.append(theirs.recv(1 << 20))
        except BlockingIOError:
            return found


def test_what_is_written_at_once_ends_with_a_line_and_fits_into_a_pipe() -> None:
    lines = [f"line {n} {'x' * (n % 90)}\n".encode() for n in range(500)]
    pieces = written(*lines)
    assert b"".join(pieces) == b"".join(lines)[: len(b"".join(pieces))] and len(pieces) > 5
    assert all(piece.endswith(b"\n") and len(piece) <= 4096 for piece in pieces)


def test_a_line_longer_than_a_pipe_takes_at_once_is_still_written_whole() -> None:
    long = b"x" * 10_000 + b"\n"
    assert long in written(b"short\n", long, b"y" * 5000 + b"\n")


def test_a_terminal_sees_each_line_at_once_and_nothing_of_an_unfinished_one() -> None:
    assert written(b"a", b"b\n", b"c", at_each_line=True) == [b"ab\n"]


def test_flushing_writes_an_unfinished_line_too() -> None:
    reads, writes = os.pipe()
    raw = WholeLines(writes, at_each_line=False)
    raw.write(b"no end")
    raw.flush()
    assert os.read(reads, 100) == b"no end"
    os.close(reads)
    os.close(writes)


def test_a_log_record_is_forwarded_as_text_with_its_exception() -> None:
    sent: list[dict[str, Any]] = []
    record = logging.LogRecord("wiesel.x", logging.WARNING, "file", 1, "%s of %s", (1, object), None)
    error = raised(ValueError("no"))
    record.exc_info = (ValueError, error, error.__traceback__)
    record.__dict__["extra"] = lambda: None  # as of extra={...}; nothing that could be pickled
    LogForwarder(sent.append).emit(record)
    pickle.dumps(sent)
    back = logging.makeLogRecord(sent[0])
    assert (back.name, back.levelno, back.getMessage()) == ("wiesel.x", logging.WARNING, "1 of <class 'object'>")
    assert back.exc_text is not None and "ValueError: no" in back.exc_text

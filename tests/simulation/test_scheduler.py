"""The simulated threads: what real ones do, in an order that a seed decides, and an end without an echo."""

from __future__ import annotations

import queue
from pathlib import Path
from random import Random

import pytest

from tests.simulation.disk import DiskFaults, ProcessDisk
from tests.simulation.machine import SimulatedMachine
from tests.simulation.scheduler import Process, Scheduler
from wiesel.core.errors import LeaseLostError
from wiesel.testing.memory_disk import MemoryDisk


class Park:
    """A scheduler, a machine and two processes on it."""

    def __init__(self, seed: int = 1) -> None:
        self.scheduler = Scheduler(Random(seed))
        self.disk = MemoryDisk()
        self.machine = SimulatedMachine(self.scheduler, lambda: ProcessDisk(self.scheduler, self.disk, DiskFaults()))
        self.one, self.other = Process(1), Process(2)

    def run(self, steps: int = 1000) -> None:
        for _ in range(steps):
            self.scheduler.step()


def order_of(seed: int) -> str:
    park, order = Park(seed), []

    def talk(letter: str) -> None:
        for _ in range(5):
            order.append(letter)
            park.scheduler.give_way()

    for letter in "abc":
        park.scheduler.spawn(park.one, lambda letter=letter: talk(letter), letter)  # type: ignore[misc]
    park.run()
    return "".join(order)


def test_a_seed_decides_the_order_of_threads() -> None:
    assert order_of(1) == order_of(1)
    assert len({order_of(seed) for seed in range(20)}) > 10


def test_time_jumps_to_what_is_due_when_nobody_can_go_on() -> None:
    park, times = Park(), []

    def sleep() -> None:
        began = park.machine.monotonic()
        park.machine.sleep(100.0)
        times.append(park.machine.monotonic() - began)

    park.scheduler.spawn(park.one, sleep, "sleeper")
    park.run(10)
    assert times == [pytest.approx(100.0, abs=0.01)]


def test_a_mailbox_waits_for_a_message_or_for_its_time_to_be_over() -> None:
    park, got = Park(), []

    def read() -> None:
        mailbox = park.machine.mailbox()
        park.scheduler.at(0.5, lambda: mailbox.put("late"))
        with pytest.raises(queue.Empty):
            mailbox.get(timeout=0.1)
        got.append(mailbox.get(timeout=10.0))

    park.scheduler.spawn(park.one, read, "reader")
    park.run(20)
    assert got == ["late"]


def test_a_lock_lets_one_in_though_its_owner_gives_way() -> None:
    park, inside, most = Park(), [0], [0]
    held = park.machine.lock()

    def enter() -> None:
        for _ in range(3):
            with held:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                park.scheduler.give_way()
                inside[0] -= 1

    for name in "abc":
        park.scheduler.spawn(park.one, enter, name)
    park.run()
    assert (inside[0], most[0]) == (0, 1)


def test_work_of_an_executor_tells_its_outcome() -> None:
    park, told = Park(), []

    def ask() -> None:
        executor = park.machine.executor(2, "pool")
        told.append(executor.submit(lambda a: a + 1, 1).result())
        told.append(type(executor.submit(lambda: 1 // 0).exception()))
        executor.shutdown()
        with pytest.raises(RuntimeError):
            executor.submit(lambda: None)

    park.scheduler.spawn(park.one, ask, "asker")
    park.run()
    assert told == [2, ZeroDivisionError]


def test_a_killed_process_does_nothing_more_not_even_tidy_up() -> None:
    park, told = Park(), []
    path = Path("/file")

    def write() -> None:
        disk = park.machine.disk()
        try:
            while True:
                park.scheduler.give_way()
        finally:
            told.append("unwound")
            disk.create(path)

    park.scheduler.spawn(park.one, write, "writer")
    park.run(10)
    park.scheduler.kill(park.one)
    park.run(10)
    assert told == ["unwound"]
    assert not park.disk.exists(path)


def test_a_paused_process_stands_still_and_goes_on() -> None:
    park, steps = Park(), [0]

    def count() -> None:
        while steps[0] < 100:
            steps[0] += 1
            park.scheduler.give_way()

    park.scheduler.spawn(park.one, count, "counter")
    park.run(10)
    park.scheduler.pause(park.one)
    park.run(10)
    stood = steps[0]
    park.run(10)
    assert steps[0] == stood < 100
    park.scheduler.resume(park.one)
    park.run(200)
    assert steps[0] == 100


def test_a_lease_is_free_again_when_its_process_is_dead() -> None:
    park, refused = Park(), []
    path = Path("/job/_lock")

    def hold() -> None:
        park.machine.lease(path)
        park.machine.event().wait()

    def take() -> None:
        try:
            park.machine.lease(path)
        except LeaseLostError as error:
            refused.append(error)

    park.scheduler.spawn(park.one, hold, "holder")
    park.run(5)
    park.scheduler.spawn(park.other, take, "taker")
    park.run(5)
    assert len(refused) == 1
    park.scheduler.kill(park.one)
    park.scheduler.spawn(park.other, take, "taker")
    park.run(5)
    assert len(refused) == 1

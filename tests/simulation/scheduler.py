"""Threads of simulated processes on one real thread, stepped one at a time in an order that a seed decides.

A fiber gives way wherever a real thread could lose the processor to another: at its clients, its disk, its locks and
queues. Time passes a little with each step, and jumps to the next thing that is due when nobody can go on.
"""

from __future__ import annotations

import heapq
import itertools
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from greenlet import getcurrent, greenlet

from wiesel.testing.clock import ManualClock

EPOCH_MS: Final = 1_700_000_000_000
#: The longest that a step takes.
_STEP_MICROS: Final = 400


class ProcessDiedError(BaseException):
    """Unwinds the fibers of a process that is dead; nothing that they still try has any effect."""


class Process:
    """A simulated operating system process.

    Args:
        number: names it; higher ones began later.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"{number:012x}"
        self.is_dead = False
        self.is_paused = False
        self.fibers: list[Fiber] = []
        #: What its main fiber raised, and whether that has ended.
        self.error: BaseException | None = None
        self.has_ended = False

    def __repr__(self) -> str:
        return f"process {self.number}"


class Fiber(greenlet):
    """A thread of a simulated process."""

    def where(self) -> str:
        """Return where it waits, innermost call last."""
        return f"{self.name}: " + " < ".join(
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in reversed(traceback.extract_stack(self.gr_frame)[-8:])
        )

    def __init__(self, process: Process, work: Callable[[], None], name: str) -> None:
        super().__init__()
        self.process = process
        self.work = work
        self.name = name
        self.is_ready = True
        #: Of the newest wait: a timer that was set for an earlier one wakes nobody.
        self.wait_number = 0
        self.timed_out = False

    def run(self) -> None:
        """Do the work; what it raises is the work's business."""
        try:
            self.work()
        except ProcessDiedError:
            pass
        finally:
            if self in self.process.fibers:
                self.process.fibers.remove(self)


class Scheduler:
    """All fibers, and the clock.

    Args:
        random: of the seed.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.clock = ManualClock(EPOCH_MS)
        self.steps = 0
        self._chance = random.random
        self._micros = EPOCH_MS * 1000
        self._ready: list[Fiber] = []
        self._paused: list[Fiber] = []
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    # --------------------------------------------------------------------------------------------- from outside

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self._micros / 1_000_000

    def at(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something so many seconds from now."""
        heapq.heappush(self._agenda, (self._micros + int(seconds * 1_000_000), next(self._numbers), call))

    def step(self) -> None:
        """Let one fiber go on to where it gives way, or time pass until one can."""
        self.steps += 1
        self._micros += int(self._chance() * _STEP_MICROS)
        ready = self._ready
        if not ready and self._agenda:
            self._micros = max(self._micros, self._agenda[0][0])
        self.clock.set(self._micros // 1000)
        while self._agenda and self._agenda[0][0] <= self._micros:
            heapq.heappop(self._agenda)[2]()
        if not ready:
            return
        index = int(self._chance() * len(ready))
        fiber = ready[index]
        ready[index] = ready[-1]
        ready.pop()
        if fiber.process.is_dead:
            return
        if fiber.process.is_paused:
            self._paused.append(fiber)
            return
        fiber.is_ready = False
        fiber.switch()

    def spawn(self, process: Process, work: Callable[[], None], name: str) -> Fiber:
        """Begin a fiber."""
        fiber = Fiber(process, work, name)
        process.fibers.append(fiber)
        fiber.parent = self._main
        self._ready.append(fiber)
        return fiber

    @property
    def _main(self) -> greenlet:
        current = getcurrent()
        while isinstance(current, Fiber):
            assert current.parent is not None
            current = current.parent
        return current

    def kill(self, process: Process) -> None:
        """End a process between two steps: SIGKILL."""
        process.is_dead = True
        for fiber in list(process.fibers):
            if bool(fiber):  # else it has never run
                fiber.throw(ProcessDiedError)
        process.fibers.clear()

    def pause(self, process: Process) -> None:
        """Let no fiber of a process go on: SIGSTOP."""
        process.is_paused = True

    def resume(self, process: Process) -> None:
        """Let them go on: SIGCONT."""
        process.is_paused = False
        woken = [fiber for fiber in self._paused if fiber.process is process]
        self._paused = [fiber for fiber in self._paused if fiber.process is not process]
        self._ready += woken

    # --------------------------------------------------------------------------------------------- from a fiber

    @staticmethod
    def current() -> Fiber:
        """Return the fiber that runs; raises ``ProcessDiedError`` when its process is dead."""
        fiber = getcurrent()
        assert isinstance(fiber, Fiber), "only a simulated process may do that"
        if fiber.process.is_dead:
            raise ProcessDiedError
        return fiber

    def give_way(self) -> None:
        """Let others go on; this fiber is ready to."""
        fiber = self.current()
        fiber.is_ready = True
        self._ready.append(fiber)
        self._switch(fiber)

    def wait(self, waiting: list[Fiber], timeout: float | None = None) -> bool:
        """Wait to be woken; returns whether that was before the time was over."""
        fiber = self.current()
        fiber.wait_number += 1
        number = fiber.wait_number
        fiber.timed_out = False
        waiting.append(fiber)
        if timeout is not None:

            def time_over() -> None:
                if fiber.wait_number == number and not fiber.is_ready:
                    fiber.timed_out = True
                    self.wake(fiber)

            self.at(max(0.0, timeout), time_over)
        try:
            self._switch(fiber)
        finally:
            fiber.wait_number += 1
            if fiber in waiting:
                waiting.remove(fiber)
        return not fiber.timed_out

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
        self.wait([], seconds)

    def wake(self, fiber: Fiber) -> None:
        """Let a fiber that waits go on."""
        if not fiber.is_ready:
            fiber.is_ready = True
            self._ready.append(fiber)

    def wake_all(self, waiting: list[Fiber]) -> None:
        """Let all that wait go on."""
        for fiber in waiting:
            self.wake(fiber)

    @staticmethod
    def _switch(fiber: Fiber) -> Any:
        assert fiber.parent is not None
        fiber.parent.switch()
        if fiber.process.is_dead:
            raise ProcessDiedError

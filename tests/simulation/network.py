"""What lies between clients and brokers: requests and answers that take their time, get lost, and come twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError

from tests.simulation.broker import BrokerError
from tests.simulation.scheduler import Fiber, Process, Scheduler

#: After so many seconds without an answer a client repeats a request.
_REPEAT_SECONDS: Final = 1.0
_BACKOFF_SECONDS: Final = 0.02
#: What a client of librdkafka repeats by itself.
_REPEATED: Final = (KafkaError.CONCURRENT_TRANSACTIONS, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)


@dataclass(slots=True)
class NetworkFaults:
    """How often something befalls a request, from 0 to 1.

    Args:
        lost: it never arrives.
        swallowed: its answer never arrives.
        delayed: it takes up to ``delay`` seconds, while the client repeats it.
        repeated: it arrives a second time, within ``repeated_within`` seconds.
        partitioned: this client is cut off after this request, for up to ``cut`` seconds.
        busy: the coordinator is loading.
    """

    lost: float = 0.0
    swallowed: float = 0.0
    delayed: float = 0.0
    delay: float = 4.0
    repeated: float = 0.0
    repeated_within: float = 0.7
    partitioned: float = 0.0
    cut: float = 20.0
    busy: float = 0.0


class Link:
    """One client's connection.

    Args:
        scheduler: time and chance.
        process: the client's; a dead one sends nothing more, but what it has sent arrives.
        faults: of the network.
    """

    def __init__(self, scheduler: Scheduler, process: Process, faults: NetworkFaults) -> None:
        self.scheduler = scheduler
        self.process = process
        self.faults = faults
        self._cut_until = 0.0
        self.is_closed = False

    @property
    def is_cut(self) -> bool:
        """Whether nothing passes now."""
        return self.scheduler.monotonic() < self._cut_until

    def cut(self) -> None:
        """Let nothing pass for a while."""
        self._cut_until = self.scheduler.monotonic() + self.scheduler.random.random() * self.faults.cut

    def happens(self, chance: float) -> bool:
        """Whether something befalls."""
        return chance > 0 and self.scheduler.random.random() < chance

    def call(self, request: Callable[[], Any], on_done: Callable[[Call], None] | None = None) -> Call:
        """Send a request, again and again until it is answered; then ``on_done`` is called, on no thread at all."""
        call = Call(self, request, on_done)
        call.send()
        return call


class Call:
    """A request under way."""

    def __init__(self, link: Link, request: Callable[[], Any], on_done: Callable[[Call], None] | None) -> None:
        self._on_done = on_done
        self._link = link
        self._request = request
        self._waiting: list[Fiber] = []
        self._sent = 0
        self.is_done = False
        self.result: Any = None
        self.error: int | None = None

    def send(self) -> None:
        """Send it once more."""
        link, scheduler, faults = self._link, self._link.scheduler, self._link.faults
        if self.is_done or link.is_closed or link.process.is_dead:
            return
        if link.process.is_paused:
            scheduler.at(_BACKOFF_SECONDS, self.send)
            return
        self._sent += 1
        chance = scheduler.random.random
        if not link.is_cut:
            travels = chance() * 0.003
            if link.happens(faults.delayed):
                travels = chance() * faults.delay
            if not link.happens(faults.lost):
                scheduler.at(travels, self._arrive)
            if link.happens(faults.repeated):
                # Sent again on a new connection, and the first one arrives after all.
                scheduler.at(chance() * faults.repeated_within, self._arrive)
            if link.happens(faults.partitioned):
                link.cut()
        sent = self._sent
        scheduler.at(_REPEAT_SECONDS, lambda: self.send() if self._sent == sent else None)

    def _arrive(self) -> None:
        link, scheduler = self._link, self._link.scheduler
        result, error = None, None
        try:
            if link.happens(link.faults.busy):
                raise BrokerError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
            result = self._request()
        except BrokerError as refused:
            error = refused.code
        if not link.is_cut and not link.happens(link.faults.swallowed):
            scheduler.at(scheduler.random.random() * 0.003, lambda: self._answered(result, error))

    def _answered(self, result: Any, error: int | None) -> None:
        if self.is_done or self._link.is_cut:
            return
        if error in _REPEATED:
            self._link.scheduler.at(_BACKOFF_SECONDS, self.send)
            return
        self.is_done, self.result, self.error = True, result, error
        if self._on_done is not None:
            self._on_done(self)
        self._link.scheduler.wake_all(self._waiting)

    def wait(self, timeout: float) -> bool:
        """Wait for the answer; returns whether it came in time."""
        if not self.is_done:
            self._link.scheduler.wait(self._waiting, timeout)
        return self.is_done

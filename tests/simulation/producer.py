"""A producer as ``confluent_kafka.Producer`` behaves, over the simulated network."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn

from confluent_kafka import KafkaError, KafkaException, Message

from tests.simulation.broker import PartitionName, SimulatedKafka
from tests.simulation.network import Call, Link
from tests.simulation.scheduler import Fiber

#: The client's queue; small, so that it is full now and then.
_QUEUE_RECORDS: Final = 40
_SENDS_AT_ONCE: Final = 0.2
_FENCED: Final = (
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.PRODUCER_FENCED,
)


@dataclass(slots=True, eq=False)
class _Queued:
    record: tuple[Any, ...]
    on_delivery: Any


class SimulatedProducer:
    """Transactional if its configuration has a ``transactional.id``.

    Args:
        kafka: the cluster.
        link: the way there.
        configuration: librdkafka's.
    """

    def __init__(self, kafka: SimulatedKafka, link: Link, configuration: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._link = link
        self._scheduler = link.scheduler
        self._tid: str = configuration.get("transactional.id", "")
        self._timeout = int(configuration.get("transaction.timeout.ms", 60_000)) / 1000
        self._identity = (-1, -1)
        self._initialising: Call | None = None
        self._committing: Call | None = None
        self._in_transaction = False
        self._error: KafkaError | None = None
        self._delivery_timeout = int(configuration.get("delivery.timeout.ms", 120_000)) / 1000
        self._queues: dict[PartitionName, deque[_Queued]] = {}
        self._unreported: list[_Queued] = []
        self._added: set[PartitionName] = set()
        self._adding: Call | None = None
        self._sending: set[PartitionName] = set()
        self._sequences: dict[PartitionName, int] = {}
        self._reports: deque[Callable[[], None]] = deque()
        self._waiting: list[Fiber] = []

    # ---------------------------------------------------------------------------------------------- transactions

    def init_transactions(self, timeout: float) -> None:
        """Fence earlier producers; goes on where it was when it is called again after its time."""
        self._scheduler.give_way()
        if self._initialising is None:
            tid, seconds = self._tid, self._timeout
            self._initialising = self._link.call(lambda: self._kafka.init_producer(tid, seconds))
        self._await(self._initialising, timeout)
        if self._initialising.error is not None:
            self._refuse(self._initialising.error)
        self._identity = self._initialising.result

    def begin_transaction(self) -> None:
        """Begin; no broker hears of it."""
        self._raise_error()
        if self._in_transaction:
            raise KafkaException(KafkaError(KafkaError._STATE))
        self._in_transaction, self._committing = True, None
        self._added = set()

    def commit_transaction(self, timeout: float) -> None:
        """Write what is queued and end the transaction; goes on where it was when it is called again."""
        if self._committing is None:
            if self.flush(timeout):
                self._raise_error()
                raise _timed_out()
            self._raise_error()
            tid, (producer, epoch) = self._tid, self._identity
            self._committing = self._link.call(lambda: self._kafka.end_transaction(tid, producer, epoch, True))
        self._await(self._committing, timeout)
        if self._committing.error is not None:
            self._refuse(self._committing.error)
        self._in_transaction = False

    def _await(self, call: Call, timeout: float) -> None:
        if not call.wait(timeout):
            raise _timed_out()

    def _refuse(self, code: int) -> NoReturn:
        self._fail(code)
        assert self._error is not None
        raise KafkaException(self._error)

    def _fail(self, code: int) -> None:
        if code in _FENCED:
            self._error = KafkaError(KafkaError._FENCED, None, True)
        elif self._error is None:
            self._error = KafkaError(code, None, False, False, True)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise KafkaException(self._error)

    # --------------------------------------------------------------------------------------------------- records

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        on_delivery: Any = None,
        partitioner: object = None,
        timestamp: int = 0,
        headers: Any = None,
    ) -> None:
        """Queue a record."""
        if self._tid:
            self._raise_error()
        if len(self._unreported) >= _QUEUE_RECORDS:
            raise BufferError("Local: Queue full")
        if partition < 0:
            partition = zlib.crc32(key or b"") % len(self._kafka.topic(topic).partitions)
        record = (key, value, timestamp or self._scheduler.clock.now_ms(), headers)
        queued = _Queued(record, on_delivery)
        self._queues.setdefault((topic, partition), deque()).append(queued)
        if not self._unreported:
            self._scheduler.at(self._delivery_timeout, lambda: self._expire(queued))
        self._unreported.append(queued)
        if self._scheduler.random.random() < _SENDS_AT_ONCE:
            self._send()

    def _send(self) -> None:
        """Ask for partitions that are new to the transaction, and send what is queued for the others."""
        if self._link.is_closed:
            return
        if self._tid and self._adding is None:
            new = [name for name, queue in self._queues.items() if queue and name not in self._added]
            if new:
                tid, (producer, epoch) = self._tid, self._identity

                def added(call: Call) -> None:
                    self._adding = None
                    if call.error is not None:
                        self._fail(call.error)
                        self._drop(call.error)
                    else:
                        self._added.update(new)
                        self._send()

                self._adding = self._link.call(lambda: self._kafka.add_partitions(tid, producer, epoch, new), added)
        for name, queue in self._queues.items():
            if queue and name not in self._sending and (not self._tid or name in self._added):
                self._send_batch(name, queue)

    def _send_batch(self, name: PartitionName, queue: deque[_Queued]) -> None:
        batch = list(queue)
        queue.clear()
        records = [queued.record for queued in batch]
        self._sending.add(name)
        tid, (producer, epoch), sequence = self._tid, self._identity, self._sequences.get(name, 0)

        def request() -> None:
            if tid:
                self._kafka.produce_in_transaction(tid, producer, epoch, name, sequence, records)
            else:
                self._kafka.produce(name, records)

        def answered(call: Call) -> None:
            self._sending.discard(name)
            if call.error is None:
                self._sequences[name] = sequence + len(records)
            else:
                self._fail(call.error)
            self._report(batch, call.error)
            self._send()

        self._link.call(request, answered)

    def _report(self, batch: list[_Queued], code: int | None) -> None:
        error = None if code is None else KafkaError(code)
        for queued in batch:
            if queued in self._unreported:
                self._unreported.remove(queued)
                if queued.on_delivery is not None:
                    self._reports.append(partial(queued.on_delivery, error, Message()))
        self._scheduler.wake_all(self._waiting)

    def _expire(self, oldest: _Queued) -> None:
        """Tell of records that were not written in time; those under way may be written later."""
        if oldest in self._unreported:
            if self._tid:
                self._fail(KafkaError._MSG_TIMED_OUT)
            for queue in self._queues.values():
                queue.clear()
            self._report(list(self._unreported), KafkaError._MSG_TIMED_OUT)
        elif self._unreported:
            first = self._unreported[0]
            self._scheduler.at(self._delivery_timeout, lambda: self._expire(first))

    def _drop(self, code: int) -> None:
        """What is queued will not be written."""
        for queue in self._queues.values():
            batch = list(queue)
            queue.clear()
            self._report(batch, code)

    def flush(self, timeout: float) -> int:
        """Wait until all is written; returns how many records are not."""
        deadline = self._scheduler.monotonic() + timeout
        self._scheduler.give_way()
        self._send()
        while True:
            self._serve()
            left = deadline - self._scheduler.monotonic()
            if not self._unreported or left <= 0 or self._error is not None:
                return len(self._unreported)
            self._scheduler.wait(self._waiting, left)

    def poll(self, timeout: float) -> int:
        """Serve delivery reports."""
        self._send()
        if timeout and not self._reports:
            self._scheduler.wait(self._waiting, timeout)
        else:
            self._scheduler.give_way()
        return self._serve()

    def _serve(self) -> int:
        count = len(self._reports)
        while self._reports:
            self._reports.popleft()()
        return count

    def purge(self) -> None:
        """Forget what is queued; what is under way arrives."""
        self._link.is_closed = True

    def __len__(self) -> int:
        return len(self._unreported)


def _timed_out() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, None, False, True))

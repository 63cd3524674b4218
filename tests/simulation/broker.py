"""Kafka's brokers: logs with transactions, and the coordinator that fences, ends and times them out.

Requests are methods that answer at once with a result or a ``KafkaError`` code; what lies between a client and them is
``network.py``. As clients of librdkafka meet it: transaction protocol 1 (no new epoch with each transaction), and
brokers that verify partitions (since 3.6), so that a late record of an ended transaction begins no new one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError

from tests.simulation.scheduler import Fiber, Scheduler

#: How often the coordinator looks for transactions that are over time.
_TIMEOUT_CHECK_SECONDS: Final = 1.0
#: The longest that a marker is on its way to a partition.
_MARKER_SECONDS: Final = 0.02

PartitionName = tuple[str, int]


class BrokerError(Exception):
    """What a broker answers when it refuses.

    Args:
        code: of ``confluent_kafka.KafkaError``.
    """

    def __init__(self, code: int) -> None:
        super().__init__(KafkaError(code).str())
        self.code = code


@dataclass(slots=True)
class Record:
    """A record in a log; ``committed`` is None while its transaction is open."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Any
    committed: bool | None = True
    is_control: bool = False


class PartitionLog:
    """One partition."""

    def __init__(self) -> None:
        self.start = 0
        self.records: list[Record] = []
        self.open: dict[int, list[Record]] = {}
        self.epochs: dict[int, int] = {}
        self.sequences: dict[tuple[int, int], int] = {}

    @property
    def end(self) -> int:
        """The next offset."""
        return self.start + len(self.records)

    @property
    def last_stable_offset(self) -> int:
        """Where the oldest open transaction begins."""
        return min((records[0].offset for records in self.open.values()), default=self.end)

    def append(self, key: bytes | None, value: bytes | None, timestamp: int, headers: Any, producer: int = -1) -> None:
        """Write a record, of an open transaction if ``producer`` has one."""
        committed = None if producer >= 0 else True
        record = Record(self.end, key, value, timestamp, headers, committed)
        self.records.append(record)
        if producer >= 0:
            self.open.setdefault(producer, []).append(record)

    def end_transaction(self, producer: int, epoch: int, commit: bool, timestamp: int) -> None:
        """Write a control marker."""
        self.epochs[producer] = max(epoch, self.epochs.get(producer, -1))
        for record in self.open.pop(producer, ()):
            record.committed = commit
        self.records.append(Record(self.end, None, None, timestamp, None, commit, is_control=True))

    def read(self, offset: int, limit: int, committed: bool) -> Iterator[Record]:
        """Return the records that a consumer is given from ``offset`` on."""
        end = self.last_stable_offset if committed else self.end
        for record in self.records[offset - self.start : end - self.start]:
            if not record.is_control and (not committed or record.committed):
                yield record
                limit -= 1
                if limit == 0:
                    return

    def delete_before(self, offset: int) -> None:
        """Delete records."""
        del self.records[: max(0, offset - self.start)]
        self.start = max(self.start, offset)


@dataclass(slots=True)
class Topic:
    """A topic."""

    name: str
    topic_id: str
    partitions: list[PartitionLog]
    configuration: dict[str, str] = field(default_factory=dict)


class TransactionState(enum.Enum):
    """Kafka's."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"


_PREPARING: Final = (TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)


@dataclass(slots=True)
class TransactionalId:
    """What the coordinator knows."""

    producer: int
    epoch: int = -1
    state: TransactionState = TransactionState.EMPTY
    timeout: float = 60.0
    deadline: float = float("inf")
    partitions: list[PartitionName] = field(default_factory=list)


class SimulatedKafka:
    """A cluster.

    Args:
        scheduler: time and chance.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.topics: dict[str, Topic] = {}
        self.groups: dict[str, dict[PartitionName, int]] = {}
        self.ids: dict[str, TransactionalId] = {}
        #: Consumers that have read everything.
        self.waiting: list[Fiber] = []
        self.aborted_by_timeout = 0
        self._producers = 0
        scheduler.at(_TIMEOUT_CHECK_SECONDS, self._end_overdue)

    # --------------------------------------------------------------------------------------------------- topics

    def create_topic(self, name: str, partitions: int, configuration: Mapping[str, str] | None = None) -> None:
        """Make a topic."""
        if name in self.topics:
            raise BrokerError(KafkaError.TOPIC_ALREADY_EXISTS)
        topic_id = f"{self.scheduler.random.getrandbits(64):016x}"
        self.topics[name] = Topic(
            name, topic_id, [PartitionLog() for _ in range(partitions)], dict(configuration or {})
        )

    def topic(self, name: str) -> Topic:
        """Return a topic."""
        topic = self.topics.get(name)
        if topic is None:
            raise BrokerError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return topic

    def partition(self, name: PartitionName) -> PartitionLog:
        """Return a partition."""
        partitions = self.topic(name[0]).partitions
        if not 0 <= name[1] < len(partitions):
            raise BrokerError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return partitions[name[1]]

    # ------------------------------------------------------------------------------------------------- producing

    def produce(self, name: PartitionName, records: list[tuple[Any, ...]]) -> None:
        """Write records outside of any transaction: key, value, timestamp, headers."""
        log = self.partition(name)
        for key, value, timestamp, headers in records:
            log.append(key, value, timestamp, headers)
        self.scheduler.wake_all(self.waiting)

    def produce_in_transaction(
        self, tid: str, producer: int, epoch: int, name: PartitionName, sequence: int, records: list[tuple[Any, ...]]
    ) -> None:
        """Write records of the transaction that is open; a repeated request is answered as the first was."""
        log = self.partition(name)
        if epoch < log.epochs.get(producer, -1):
            raise BrokerError(KafkaError.INVALID_PRODUCER_EPOCH)
        expected = log.sequences.get((producer, epoch), 0)
        if sequence < expected:
            return
        if sequence > expected:
            raise BrokerError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
        entry = self._entry(tid, producer, epoch)
        if entry.state is not TransactionState.ONGOING or name not in entry.partitions:
            raise BrokerError(KafkaError.INVALID_TXN_STATE)
        log.epochs[producer] = epoch
        log.sequences[producer, epoch] = expected + len(records)
        for key, value, timestamp, headers in records:
            log.append(key, value, timestamp, headers, producer)
        self.scheduler.wake_all(self.waiting)

    # ---------------------------------------------------------------------------------------------- transactions

    def init_producer(self, tid: str, timeout: float) -> tuple[int, int]:
        """Fence the earlier producers of an id; answers the new producer's id and epoch."""
        entry = self.ids.get(tid)
        if entry is None:
            self._producers += 1
            entry = self.ids[tid] = TransactionalId(self._producers)
        if entry.state in _PREPARING:
            raise BrokerError(KafkaError.CONCURRENT_TRANSACTIONS)
        entry.epoch += 1
        if entry.state is TransactionState.ONGOING:
            self._end(entry, TransactionState.PREPARE_ABORT)
            raise BrokerError(KafkaError.CONCURRENT_TRANSACTIONS)
        entry.state, entry.timeout = TransactionState.EMPTY, timeout
        return entry.producer, entry.epoch

    def add_partitions(self, tid: str, producer: int, epoch: int, names: list[PartitionName]) -> None:
        """Let partitions take part in the transaction, which the first request begins."""
        entry = self._entry(tid, producer, epoch)
        for name in names:
            self.partition(name)
        if entry.state in _PREPARING:
            raise BrokerError(KafkaError.CONCURRENT_TRANSACTIONS)
        if entry.state is not TransactionState.ONGOING:
            entry.state, entry.partitions = TransactionState.ONGOING, []
            entry.deadline = self.scheduler.monotonic() + entry.timeout
        entry.partitions += [name for name in names if name not in entry.partitions]

    def end_transaction(self, tid: str, producer: int, epoch: int, commit: bool) -> None:
        """Decide the transaction's outcome; the markers follow."""
        entry = self._entry(tid, producer, epoch)
        prepared = TransactionState.PREPARE_COMMIT if commit else TransactionState.PREPARE_ABORT
        completed = TransactionState.COMPLETE_COMMIT if commit else TransactionState.COMPLETE_ABORT
        if entry.state is completed:
            return
        if entry.state is prepared:
            raise BrokerError(KafkaError.CONCURRENT_TRANSACTIONS)
        if entry.state is not TransactionState.ONGOING:
            raise BrokerError(KafkaError.INVALID_TXN_STATE)
        self._end(entry, prepared)

    def _entry(self, tid: str, producer: int, epoch: int) -> TransactionalId:
        entry = self.ids.get(tid)
        if entry is None or entry.producer != producer:
            raise BrokerError(KafkaError.INVALID_PRODUCER_ID_MAPPING)
        if entry.epoch != epoch:
            raise BrokerError(KafkaError.PRODUCER_FENCED)
        return entry

    def _end(self, entry: TransactionalId, state: TransactionState) -> None:
        """Write the markers, to each partition at its own time."""
        entry.state, entry.deadline = state, float("inf")
        commit, epoch, left = state is TransactionState.PREPARE_COMMIT, entry.epoch, len(entry.partitions)

        def marker_at(name: PartitionName) -> Callable[[], None]:
            def write() -> None:
                nonlocal left
                log = self.partition(name)
                log.end_transaction(entry.producer, epoch, commit, self.scheduler.clock.now_ms())
                self.scheduler.wake_all(self.waiting)
                left -= 1
                if left == 0:
                    done = TransactionState.COMPLETE_COMMIT if commit else TransactionState.COMPLETE_ABORT
                    entry.state, entry.partitions = done, []

            return write

        for name in entry.partitions:
            self.scheduler.at(self.scheduler.random.random() * _MARKER_SECONDS, marker_at(name))

    def _end_overdue(self) -> None:
        now = self.scheduler.monotonic()
        for entry in self.ids.values():
            if entry.state is TransactionState.ONGOING and entry.deadline <= now:
                self.aborted_by_timeout += 1
                entry.epoch += 1
                self._end(entry, TransactionState.PREPARE_ABORT)
        self.scheduler.at(_TIMEOUT_CHECK_SECONDS, self._end_overdue)

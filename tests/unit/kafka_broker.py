"""A simulated Kafka for the committer: transactions with fencing, a progress topic, and failures on order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wiesel.connectors.kafka.delivery import DoubtError
from wiesel.connectors.kafka.errors import KafkaClientError
from wiesel.connectors.kafka.progress import Progress, ProgressRecord
from wiesel.connectors.kafka.wal import Block


class Broker:
    """What all jobs of a test share."""

    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}
        self.progress: list[ProgressRecord] = []
        self.output: list[str] = []
        self.fences: list[str] = []
        self.echoes = 0
        #: Called before a transaction commits; may raise, or let somebody else act in between.
        self.before_commit: Callable[[str], None] = lambda tid: None
        #: Called after a transaction has committed, before its producer hears of it.
        self.after_commit: Callable[[str], None] = lambda tid: None
        self.before_fence: Callable[[str], None] = lambda tid: None
        self.topics_learnt: set[str] = set()

    # delivery.Transactions

    def fence(self, tid: str, patience: int) -> FencedProducer:
        self.before_fence(tid)
        self.epochs[tid] = self.epochs.get(tid, 0) + 1
        self.fences.append(tid)
        return FencedProducer(self, tid, self.epochs[tid])

    def learn_topics(self, topics: Iterable[str]) -> None:
        self.topics_learnt |= set(topics)

    # delivery.ProgressLog

    def catch_up(self) -> Progress:
        self.echoes += 1
        progress = Progress()
        for record in self.progress:
            progress.observe(record)
        return progress


class FencedProducer:
    """One producer; a second transaction with it is a mistake that the test must see."""

    def __init__(self, broker: Broker, tid: str, epoch: int) -> None:
        self._broker = broker
        self._tid = tid
        self._epoch = epoch
        self._used = False

    def publish(self, blocks: Iterable[Block], record: ProgressRecord) -> None:
        assert not self._used, "a producer carries one transaction only"
        self._used = True
        values = [(value or b"").decode() for _, _, records in blocks for _, value, _ in records]
        self._broker.before_commit(self._tid)
        if self._broker.epochs[self._tid] != self._epoch:
            raise doubt("fenced")
        self._broker.output += values
        self._broker.progress.append(record)
        self._broker.after_commit(self._tid)

    def abandon(self) -> None:
        self._used = True


def doubt(text: str, *, permanent: bool = False) -> DoubtError:
    return DoubtError(KafkaClientError(text), permanent=permanent)

"""Kafka's transaction coordinator as librdkafka meets it: the transaction protocol before KIP-890 ("TV1").

In this protocol the producer epoch does not grow with each transaction, so a request that was delayed in the network
can act on a later transaction of the same producer instance.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable
from typing import NamedTuple


class Status(enum.StrEnum):
    """State of the newest transaction of a transactional id."""

    EMPTY = "empty"
    OPEN = "open"
    COMMITTED = "committed"


class Answer(enum.StrEnum):
    """The coordinator's answer to EndTxn."""

    OK = "ok"
    FENCED = "fenced"
    INVALID_STATE = "invalid state"


class TransactionalId(NamedTuple):
    """What broker and coordinator keep of one transactional id, with everything that it ever committed."""

    epoch: int = 0
    status: Status = Status.EMPTY
    open_records: tuple[Hashable, ...] = ()
    log: tuple[Hashable, ...] = ()
    """Committed records in order: what a `read_committed` consumer sees."""

    def init_producer(self) -> TransactionalId:
        """InitProducerId: fence every older producer instance and abort what it left open."""
        return TransactionalId(self.epoch + 1, Status.EMPTY, (), self.log)

    def time_out(self) -> TransactionalId:
        """`transaction.timeout.ms` has passed: the coordinator aborts the transaction and fences its producer."""
        return self.init_producer()

    def accepts_produce(self, epoch: int, *, first: bool) -> bool:
        """Whether a produce request is taken.

        A client that believes its partition to be in a transaction which the broker has ended is refused
        (`transaction.partition.verification.enable`, brokers from 3.6 on).
        """
        return epoch == self.epoch and (first or self.status is Status.OPEN)

    def produce(self, record: Hashable) -> TransactionalId:
        """Append to the open transaction, opening one if there is none."""
        return TransactionalId(self.epoch, Status.OPEN, (*self.open_records, record), self.log)

    def end_txn(self, epoch: int) -> tuple[Answer, TransactionalId]:
        """EndTxn(commit): idempotent once committed, refused for another epoch or without a transaction."""
        if epoch != self.epoch:
            return Answer.FENCED, self
        if self.status is Status.OPEN:
            return Answer.OK, TransactionalId(self.epoch, Status.COMMITTED, (), self.log + self.open_records)
        return (Answer.OK if self.status is Status.COMMITTED else Answer.INVALID_STATE), self

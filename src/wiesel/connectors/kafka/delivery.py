"""Publishes decided segments exactly once: protocol D's start, push and recovery (docs/adr/0001).

What may be done next is decided in committer.py; here it is done, in rounds: fence all transactional ids that have
work, look at the progress topic once, decide all, publish side by side. Whatever goes wrong destroys the producer and
begins with a fence again. Kafka is behind two Protocols, so that a simulated one can take its place.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from wiesel.connectors.kafka.ablation import (
    FRESH_PRODUCER_EACH,
    LOOKS_AFTER_EVERY_FENCE,
    check_claim,
    decide,
    fenced,
)
from wiesel.connectors.kafka.committer import Segment, Stop, after_error
from wiesel.connectors.kafka.progress import Claim, Progress, ProgressRecord
from wiesel.connectors.kafka.wal import Block, read_segment
from wiesel.core import failpoints
from wiesel.core.contracts import CommitterContext
from wiesel.core.disk import Disk
from wiesel.core.errors import WieselError
from wiesel.core.host import host

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PARALLEL: Final = 16
#: A refusal that no waiting mends may still be a broker that has just started and knows less than it will.
_PERMANENT_ATTEMPTS: Final = 3
_LONGEST_WAIT_SECONDS: Final = 5.0


class DoubtError(Exception):
    """A step failed or its outcome is unknown. The producer is of no use any more.

    Args:
        error: what to tell the user, should it not get better.
        permanent: whether waiting is not expected to help.
    """

    def __init__(self, error: WieselError, *, permanent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.permanent = permanent


class FencedProducer(Protocol):
    """The only producer of a transactional id that the broker accepts, good for one transaction."""

    def publish(self, blocks: Iterable[Block], record: ProgressRecord) -> None:
        """Write records and, last, one progress record in one transaction; raises ``DoubtError``."""

    def abandon(self) -> None:
        """Give up the producer and whatever it has begun."""


class Transactions(Protocol):
    """Makes fenced producers."""

    def fence(self, tid: str, patience: int) -> FencedProducer:
        """Make the earlier producers of ``tid`` powerless and wait until their transactions are resolved.

        Args:
            tid: the transactional id.
            patience: attempts that failed before; with each the transaction may take longer.

        Raises:
            DoubtError: it did not work out.
        """

    def learn_topics(self, topics: Iterable[str]) -> None:
        """Be told which topics segments write to, before their producers are made."""


class ProgressLog(Protocol):
    """The progress topic."""

    def catch_up(self) -> Progress:
        """Write an echo and read until it comes back: everything fenced before is resolved in what is returned.

        Raises:
            DoubtError: it did not work out.
            ProgressLostError: records are gone.
        """


@dataclass(slots=True)
class _TransactionalId:
    """What this process knows about one transactional id."""

    tid: str
    producer: FencedProducer | None = None
    #: Whether the progress topic was read after the producer had fenced.
    looked: bool = False
    failures: int = 0
    doubt: DoubtError | None = None
    confirmed: dict[str, int] = field(default_factory=dict)
    queue: deque[Segment] = field(default_factory=deque)

    def drop_producer(self) -> None:
        """Destroy the producer, whatever it was about."""
        producer, self.producer = self.producer, None
        self.forget_look()
        if producer is not None:
            producer.abandon()

    def forget_look(self) -> None:
        """What was read of the progress topic before the next fence does not count behind it."""
        if LOOKS_AFTER_EVERY_FENCE:
            self.looked = False


class Deliverer:
    """Delivers the segments of one sink by way of one progress topic.

    Args:
        context: the start, the store, and how to learn whether we are still current.
        transactions: makes producers.
        log: the progress topic.
        disk: where segments lie.
        wait: waits for so many seconds, or less when the job is stopped at once.
        random: returns numbers from 0 to 1.
    """

    def __init__(
        self,
        context: CommitterContext,
        transactions: Transactions,
        log: ProgressLog,
        disk: Disk,
        wait: Callable[[float], None],
        random: Callable[[], float],
    ) -> None:
        self._context = context
        self._transactions = transactions
        self._log = log
        self._disk = disk
        self._wait = wait
        self._random = random
        self._ids: dict[str, _TransactionalId] = {}
        self._progress = Progress()
        self._pool = host().executor(_PARALLEL, "kafka-push")
        self._preparer = host().executor(1, "kafka-fence")
        self._preparation: Future[None] | None = None

    # --------------------------------------------------------------------------------------------- recovery

    def settle(
        self,
        tids: Sequence[str],
        confirmed: Mapping[str, Mapping[str, int]],
        pending: Sequence[Segment],
        lineages: set[str],
        is_ours: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the transactional ids over from whoever had them, then publish what is pending.

        Args:
            tids: all that this job ever used.
            confirmed: last seq known to be published, by transactional id and lineage.
            pending: decided segments that are not known to be published, in order.
            lineages: those whose markers are to be checked.
            is_ours: whether a transactional id that somebody has claimed is one more of this sink's: another job
                directory's start may have had more subtasks, and its process may be alive.
        """
        for tid in tids:
            self._ids[tid] = _TransactionalId(tid, confirmed=dict(confirmed.get(tid, {})))
        self._claim_all(is_ours)
        failpoints.hit("P11")
        for segment in pending:
            self._ids[segment.tid].queue.append(segment)
        self._transactions.learn_topics({topic for segment in pending for topic in segment.topics})
        self._decide_all(lineages)
        failpoints.hit("P11")
        self._publish_queues()

    def _claim_all(self, is_ours: Callable[[str], bool]) -> None:
        """Fence all, look once, and only when no claim forbids any of them, claim.

        A claim that is written before looking lets a waking zombie bury the claim of the newer start.
        """
        unclaimed = list(self._ids.values())
        while unclaimed:
            self._fence(unclaimed)
            failpoints.hit("P11")
            fenced = [entry for entry in unclaimed if entry.producer is not None]
            if len(fenced) == len(unclaimed) and self._look(fenced):
                more = [tid for tid in self._progress.claimed() if tid not in self._ids and is_ours(tid)]
                if more:
                    self._ids |= {tid: _TransactionalId(tid) for tid in more}
                    unclaimed = list(self._ids.values())
                    continue
                for entry in unclaimed:
                    self._require_claim(entry.tid, first_start=self._context.first_start_of_store)
                self._side_by_side(self._claim, unclaimed)
                unclaimed = [entry for entry in unclaimed if entry.doubt is not None]
            self._after_doubts(unclaimed)
        self._context.mark_claimed()

    def _claim(self, entry: _TransactionalId) -> None:
        assert entry.producer is not None
        entry.producer.publish((), Claim(entry.tid, self._context.store, self._context.start))
        entry.drop_producer()

    def _decide_all(self, lineages: set[str]) -> None:
        """Compare every marker with the checkpoint, for transactional ids without pending segments too."""
        while not self._look(list(self._ids.values())):
            self._after_doubts(list(self._ids.values()))
        strict = {self._context.lineage, *self._context.continues}
        for entry in self._ids.values():
            self._require_claim(entry.tid, first_start=False)
            for lineage in sorted(lineages):
                rewound = self._context.rewound and lineage not in strict
                self._skip_published(entry, lineage, rewound=rewound)

    # --------------------------------------------------------------------------------------------- publishing

    def deliver(self, segments: Sequence[Segment]) -> None:
        """Publish decided segments, in order for each transactional id; when it returns all are confirmed."""
        if not segments:
            return
        failpoints.hit("P4")
        self._await_preparation()
        for segment in segments:
            entry = self._ids[segment.tid]
            # A checkpoint may have been taken before an earlier delivery was known to be confirmed.
            if segment.seq > entry.confirmed.get(segment.lineage, 0):
                entry.queue.append(segment)
        self._transactions.learn_topics({topic for segment in segments for topic in segment.topics})
        self._publish_queues()
        self.prepare({segment.tid for segment in segments})

    def prepare(self, tids: Iterable[str]) -> None:
        """Fence the next producers and read their markers in the background, so that the next push need not wait.

        Safe at any time: whoever pushes in between fences us, and our push then fails.
        """
        entries = [self._ids[tid] for tid in sorted(tids)]
        self._preparation = self._preparer.submit(self._prepare, entries)

    def _prepare(self, entries: list[_TransactionalId]) -> None:
        self._fence(entries)
        self._look([entry for entry in entries if entry.producer is not None])
        for entry in entries:
            entry.doubt = None  # the push will meet it again, and say so

    def _await_preparation(self) -> None:
        if self._preparation is not None:
            self._preparation.result()
            self._preparation = None

    def _publish_queues(self) -> None:
        while True:
            waiting = [entry for entry in self._ids.values() if entry.queue]
            if not waiting:
                return
            self._fence([entry for entry in waiting if entry.producer is None])
            fenced = [entry for entry in waiting if entry.producer is not None]
            if self._look(fenced):
                for entry in fenced:
                    self._require_claim(entry.tid, first_start=False)
                    self._skip_published_at_head(entry)
                self._side_by_side(self._publish_next, [entry for entry in fenced if entry.queue])
            self._after_doubts(waiting)

    def _publish_next(self, entry: _TransactionalId) -> None:
        segment, producer = entry.queue[0], entry.producer
        assert producer is not None
        producer.publish(read_segment(self._disk, self._context.job_directory, segment), segment.marker())
        failpoints.hit("P7")
        # A producer carries one transaction: its delayed EndTxn could otherwise tear the next one.
        if FRESH_PRODUCER_EACH:
            entry.drop_producer()
        entry.forget_look()  # whose marker is now behind
        self._confirm(entry, segment.lineage, segment.seq)
        entry.queue.popleft()
        failpoints.hit("P12")

    def _skip_published_at_head(self, entry: _TransactionalId) -> None:
        """Decide about the lineage of the next segment; when all of that is published, about the lineage after it."""
        while entry.queue:
            lineage = entry.queue[0].lineage
            self._skip_published(entry, lineage, rewound=False)
            if entry.queue and entry.queue[0].lineage == lineage:
                return

    def _skip_published(self, entry: _TransactionalId, lineage: str, *, rewound: bool) -> None:
        pending = [segment for segment in entry.queue if segment.lineage == lineage]
        last = entry.confirmed.get(lineage, 0)
        decision = decide(self._progress, entry.tid, lineage, pending, last, rewound)
        if isinstance(decision, Stop):
            raise decision.error()
        if decision.skip:
            logger.info("%d segments of %s were published already", len(decision.skip), entry.tid)
            entry.queue = deque(segment for segment in entry.queue if segment not in decision.skip)
        if decision.confirmed:
            self._confirm(entry, lineage, decision.confirmed)

    def _confirm(self, entry: _TransactionalId, lineage: str, seq: int) -> None:
        # Replaced, not changed: other threads read it for checkpoints.
        entry.confirmed = {**entry.confirmed, lineage: seq}

    def confirmed(self) -> dict[str, dict[str, int]]:
        """Return the last seq known to be published, by transactional id and lineage; from any thread."""
        return {entry.tid: entry.confirmed for entry in list(self._ids.values())}

    # ------------------------------------------------------------------------------------------------- steps

    def _fence(self, entries: Sequence[_TransactionalId]) -> None:
        def fence(entry: _TransactionalId) -> None:
            entry.producer = fenced(partial(self._transactions.fence, entry.tid, entry.failures))
            entry.forget_look()

        self._side_by_side(fence, [entry for entry in entries if entry.producer is None])

    def _look(self, entries: Sequence[_TransactionalId]) -> bool:
        """Read the progress topic behind an echo if any of ``entries`` was fenced after the last look."""
        if not entries:
            return False
        if all(entry.looked for entry in entries):
            return True
        try:
            self._progress = self._log.catch_up()
        except DoubtError as doubt:
            for entry in entries:
                entry.doubt = doubt
            return False
        for entry in entries:
            entry.looked = True
        return True

    def _require_claim(self, tid: str, *, first_start: bool) -> None:
        stop = check_claim(self._progress, tid, self._context.store, self._context.start, first_start)
        if stop is not None:
            raise stop.error()

    def _side_by_side(self, work: Callable[[_TransactionalId], None], entries: Sequence[_TransactionalId]) -> None:
        """Do ``work`` for all entries; those in doubt lose their producers, other errors are raised."""

        def attempt(entry: _TransactionalId) -> None:
            try:
                work(entry)
                entry.doubt = None
            except DoubtError as doubt:
                entry.doubt = doubt
                entry.drop_producer()

        futures = [self._pool.submit(attempt, entry) for entry in entries]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]

    def _after_doubts(self, entries: Sequence[_TransactionalId]) -> None:
        """Ask whether we are still the current start; if so wait for a random time before the next round."""
        doubted = [entry for entry in entries if entry.doubt is not None]
        for entry in entries:
            entry.failures = entry.failures + 1 if entry.doubt is not None else 0
        if not doubted:
            return
        verdict = after_error(self._context.read_start(), self._context.start)
        if isinstance(verdict, Stop):
            raise verdict.error()
        worst = max(doubted, key=lambda entry: entry.failures)
        doubt = worst.doubt
        assert doubt is not None
        if self._context.stopping() or (doubt.permanent and worst.failures >= _PERMANENT_ATTEMPTS):
            raise doubt.error from doubt
        # The first failures are a broker's everyday business; then less and less often.
        level = logging.WARNING if worst.failures > 2 and worst.failures.bit_count() == 1 else logging.DEBUG
        logger.log(level, "output of %s is not delivered yet, trying again: %s", worst.tid, doubt)
        for entry in doubted:
            entry.doubt = None
        longest = min(_LONGEST_WAIT_SECONDS, 0.05 * 2**worst.failures)
        self._wait(longest * (0.5 + self._random() / 2))

    def close(self) -> None:
        """Give up all producers; what is under way ends by itself once the job is stopping."""
        self._preparer.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True, cancel_futures=True)
        for entry in self._ids.values():
            entry.drop_producer()

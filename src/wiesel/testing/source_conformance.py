"""Checks a source of one's own against its contract (``core.contracts.Source``): no broker, no job, no sleep.

The checks call enumerator and readers as a job does, stop at every record, and go on from what a checkpoint would hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Json, Source, SourceBatch, SourceContext, SourceSplit, SplitEnumerator
from wiesel.datastream.connectors.base import Source as ApiSource
from wiesel.testing.conformance import (
    Check,
    ConformanceError,
    check_all,
    demand,
    demand_same,
    shown,
    through_json,
    through_pickle,
)

#: Places at which a reader is stopped, at most; more records than that are sampled evenly.
_CUTS: Final = 100
#: Seconds that a reader may have nothing to say before it has to.
_PATIENCE: Final = 10.0
#: Seconds that ``poll`` may take: it must never wait, but a busy machine may.
_POLL_SECONDS: Final = 1.0
_BATCH: Final = 7


class SourceConformance:
    """The checks of one bounded source.

    Args:
        make_source: returns the source (a spec, or a ``Source`` around it), each time anew, over the same data.
        expected: its records, in any order; None takes what it reads at parallelism 1 for right.
        parallelism: the number of readers that the checks with several use.
    """

    def __init__(
        self, make_source: Callable[[], Any], expected: Sequence[Any] | None = None, parallelism: int = 3
    ) -> None:
        self._make = make_source
        self._expected = None if expected is None else list(expected)
        self._parallelism = parallelism

    def checks(self) -> list[Check]:
        """Return the checks, for ``@pytest.mark.parametrize("check", …, ids=str)``."""
        rules: list[tuple[Callable[[], None], str]] = [
            (self._spec_is_data, "A spec is data only: it can be pickled, and its copy reads the same."),
            (self._everything_once, "One reader with all splits reads every record once."),
            (self._parallel_readers, "Each split has one owner among the readers, and together they read everything."),
            (self._bounds_of_poll, "poll(n) returns at most n records, of a split it was given, and never waits."),
            (self._end, "A reader has ended when its splits are read and no more can come; then poll() returns None."),
            (self._finished_splits, "Every split is named by finished_splits() when it has ended."),
            (self._positions, "A snapshot holds each split right behind the last polled record."),
            (self._snapshot_changes_nothing, "Taking a snapshot changes nothing, and may be done at any time."),
            (self._splits_given_once, "A split is given out once in the life of a job, restarts included."),
            (self._lost_before_discovery, "A checkpoint before the first discovery forgets no split."),
            (self._close, "close() may come at any time, and ends what the reader holds."),
        ]
        return [Check(rule.__name__.strip("_"), text, rule) for rule, text in rules]

    def check_all(self) -> None:
        """Run all checks.

        Raises:
            ConformanceError: naming every one that fails.
        """
        check_all(self.checks())

    # ------------------------------------------------------------------------------------------------- tools

    def _spec(self) -> Source:
        made = self._make()
        spec: Source = made.spec if isinstance(made, ApiSource) else made
        demand(bool(spec.bounded), "it says that it is not bounded; these checks read a source to its end.")
        return spec

    def _records(self) -> list[Any]:
        if self._expected is None:
            self._expected = _Run(self._spec()).read_all()
        return self._expected

    def _cuts(self) -> list[int]:
        count = len(self._records())
        step = max(1, count // _CUTS)
        return sorted({*range(0, count + 1, step), count})

    # ------------------------------------------------------------------------------------------------ the rules

    def _spec_is_data(self) -> None:
        demand_same(_Run(through_pickle(self._spec())).read_all(), self._records(), "From the pickled spec")

    def _everything_once(self) -> None:
        demand_same(_Run(self._spec()).read_all(), self._records(), "At parallelism 1")

    def _parallel_readers(self) -> None:
        run = _Run(self._spec(), self._parallelism)
        demand_same(run.read_all(), self._records(), f"At parallelism {self._parallelism}")
        again = _enumerator(self._spec(), self._parallelism, through_json(run.enumerator.snapshot(), "The snapshot"))
        for split_id, owner in run.owners.items():
            demand(again.owner(split_id) == owner, f"split {split_id!r} has another owner after a restart.")

    def _bounds_of_poll(self) -> None:
        for limit in (1, 2, 1000):
            run = _Run(self._spec())
            while (batch := run.poll(0, limit)) is not None:
                count = len(batch.values)
                demand(count <= limit, f"poll({limit}) returned {count} records.")
                demand(count == len(batch.timestamps), f"{count} values came with {len(batch.timestamps)} timestamps.")
                demand(
                    all(type(timestamp) is int for timestamp in batch.timestamps),
                    "timestamps are whole milliseconds, MIN_TIMESTAMP for none.",
                )
                demand(batch.split_id in run.owners, f"the batch is of split {batch.split_id!r}, which was not given.")

    def _end(self) -> None:
        run = _Run(self._spec(), no_more=False)
        while run.poll_now(0, _BATCH) is not None:
            demand(not run.readers[0].is_finished(), "is_finished() before no_more_splits(): more could come.")
        demand(not run.readers[0].is_finished(), "is_finished() before no_more_splits(): more could come.")
        run = _Run(self._spec())
        run.read_all()
        for _ in range(3):
            demand(run.readers[0].poll(_BATCH) is None, "poll() returned records behind the end.")
            demand(run.readers[0].is_finished(), "is_finished() became false again.")
        demand(not list(run.readers[0].snapshot()), "a reader that has ended still has splits in its snapshot.")

    def _finished_splits(self) -> None:
        run = _Run(self._spec())
        finished: set[str] = set()
        while run.poll(0, _BATCH) is not None:
            finished |= set(run.readers[0].finished_splits())
        finished |= set(run.readers[0].finished_splits())
        demand_same(sorted(finished), sorted(run.owners), "Among the splits that ended")

    def _positions(self) -> None:
        for cut in self._cuts():
            first = _Run(self._spec())
            before = first.read(cut)
            splits = first.checkpoint()
            enumerator = through_json(first.enumerator.snapshot(), "The enumerator's snapshot")
            first.close()
            second = _Run(self._spec(), state=enumerator, splits=splits)
            after = second.read_all()
            demand_same(before + after, self._records(), f"Stopped behind record {cut} and gone on from the snapshot,")

    def _snapshot_changes_nothing(self) -> None:
        run = _Run(self._spec())
        read: list[Any] = []
        while (batch := run.poll(0, 1)) is not None:
            read += batch.values
            splits = run.checkpoint()
            demand(splits == run.checkpoint(), f"two snapshots behind record {len(read)} differ.")
            run.readers[0].notify_checkpoint_complete(splits)
        demand_same(read, self._records(), "With a snapshot behind every record")

    def _splits_given_once(self) -> None:
        first = _Run(self._spec())
        state = through_json(first.enumerator.snapshot(), "The enumerator's snapshot")
        again = _Run(self._spec(), state=state).read_all()
        demand(not again, f"after a restart splits are given out again, with these records: {shown(again)}.")
        for parallelism in (1, self._parallelism):
            restored = _enumerator(self._spec(), parallelism, state)
            for split_id in first.owners:
                owner = restored.owner(split_id)
                demand(0 <= owner < parallelism, f"split {split_id!r} has owner {owner} at parallelism {parallelism}.")
        first.close()

    def _lost_before_discovery(self) -> None:
        state = through_json(_enumerator(self._spec(), 1, None).snapshot(), "The enumerator's first snapshot")
        demand_same(_Run(self._spec(), state=state).read_all(), self._records(), "Restored from before the discovery,")

    def _close(self) -> None:
        for cut in (0, 1, len(self._records())):
            before = set(threading.enumerate())
            run = _Run(self._spec())
            run.read(cut)
            run.close()
            for thread in set(threading.enumerate()) - before:
                thread.join(_PATIENCE)
                demand(not thread.is_alive(), f"behind record {cut}, thread {thread.name!r} goes on after close().")


class _Run:
    """An enumerator and its readers, as one attempt of a job has them."""

    def __init__(
        self,
        spec: Source,
        parallelism: int = 1,
        *,
        state: Json | None = None,
        splits: Sequence[SourceSplit] = (),
        no_more: bool = True,
    ) -> None:
        self._woken = threading.Event()
        self.enumerator = _enumerator(spec, parallelism, state)
        self.readers = [spec.create_reader(_context(i, parallelism, self._woken.set)) for i in range(parallelism)]
        self.owners: dict[str, int] = {}
        self._assign([*splits, *_discover(self.enumerator)])
        if no_more:
            for reader in self.readers:
                reader.no_more_splits()

    def _assign(self, splits: Sequence[SourceSplit]) -> None:
        for split in splits:
            through_json(dict(split.position), f"The position of split {split.split_id!r}")
            demand(split.split_id not in self.owners, f"split {split.split_id!r} is given out twice.")
            owner = self.enumerator.owner(split.split_id)
            known = 0 <= owner < len(self.readers)
            demand(known, f"split {split.split_id!r} has owner {owner} among {len(self.readers)} readers.")
            self.owners[split.split_id] = owner
            self.readers[owner].add_splits([split])

    def poll_now(self, reader: int, limit: int) -> SourceBatch | None:
        """Poll once; a batch without records is nothing."""
        began = time.monotonic()
        batch = self.readers[reader].poll(limit)
        took = time.monotonic() - began
        demand(took < _POLL_SECONDS, f"poll() took {took:.1f} s: it must never wait, and call context.wake() instead.")
        return batch

    def poll(self, reader: int, limit: int) -> SourceBatch | None:
        """Return the next batch that has records, waiting to be woken for it; None at the end."""
        deadline = time.monotonic() + _PATIENCE
        while not self.readers[reader].is_finished():
            self._woken.clear()
            batch = self.poll_now(reader, limit)
            if batch is not None and batch.values:
                return batch
            if batch is None and not self.readers[reader].is_finished():
                left = deadline - time.monotonic()
                if left <= 0 or not self._woken.wait(left):
                    raise ConformanceError(
                        f"poll() returned None for {_PATIENCE:g} s, and the reader neither ended nor called wake()."
                    )
        return None

    def read(self, count: int) -> list[Any]:
        """Read so many records with the first reader."""
        values: list[Any] = []
        while len(values) < count and (batch := self.poll(0, min(_BATCH, count - len(values)))) is not None:
            values += batch.values
        return values

    def read_all(self) -> list[Any]:
        """Read with all readers to the end, and close them."""
        values: list[Any] = []
        for index in range(len(self.readers)):
            while (batch := self.poll(index, _BATCH)) is not None:
                values += batch.values
        self.close()
        return values

    def checkpoint(self) -> list[SourceSplit]:
        """Return the first reader's splits as they come back from a checkpoint."""
        return [
            SourceSplit(split.split_id, through_json(dict(split.position), f"The position of {split.split_id!r}"))
            for split in self.readers[0].snapshot()
        ]

    def close(self) -> None:
        """Close readers and enumerator."""
        for reader in self.readers:
            reader.close()
        self.enumerator.close()


def _context(subtask: int, parallelism: int, wake: Callable[[], None]) -> SourceContext:
    return SourceContext("checked-source", "checked source", subtask, parallelism, Configuration(), wake)


def _enumerator(spec: Source, parallelism: int, state: Json | None) -> SplitEnumerator:
    return spec.create_enumerator(_context(-1, parallelism, lambda: None), state)


def _discover(enumerator: SplitEnumerator) -> Sequence[SourceSplit]:
    return list(enumerator.on_discovered(enumerator.discover()))

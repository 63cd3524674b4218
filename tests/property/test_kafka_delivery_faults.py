"""Whatever fails, dies or wakes up, each decided record is published once and in order (over a simulated Kafka).

The model in tests/model explores the protocol's decisions exhaustively; here the code that carries them out runs with
random failures before and after commits, lost fences, crashes in mid-push and zombies that go on.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.kafka_broker import Broker, doubt
from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.delivery import Deliverer
from wiesel.connectors.kafka.wal import SegmentFile
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import CommitterContext
from wiesel.core.disk import OsDisk
from wiesel.core.errors import FencedError

TIDS = ("t-0", "t-1")
LINEAGE = "store.1"

#: What happens at the next commits: nothing, an error before it, an error after it, the process dies there.
faults = st.lists(st.sampled_from(["", "", "before", "after", "die before", "die after", "fenced"]), max_size=4)
#: What the job does: an epoch with so many records a tid; a restart; a pause between decision and push, with a restart
#: meanwhile; the waking of a paused process.
actions = st.lists(
    st.one_of(
        st.tuples(st.just("epoch"), st.tuples(st.integers(0, 3), st.integers(0, 3)), faults),
        st.tuples(st.just("restart"), st.just((0, 0)), faults),
        st.tuples(st.just("pause"), st.tuples(st.integers(0, 2), st.integers(0, 2)), faults),
        st.tuples(st.just("wake"), st.just((0, 0)), faults),
    ),
    max_size=8,
)


class Died(Exception):
    """The process is gone."""


class World:
    """One job directory, one simulated Kafka."""

    def __init__(self, path: Path, exits: ExitStack) -> None:
        self.broker = Broker()
        self.broker.before_commit = lambda tid: self._strike("before", tid)
        self.broker.after_commit = lambda tid: self._strike("after", tid)
        self.starts = 0
        self.claimed = False
        self.pending: list[Segment] = []
        self.confirmed: dict[str, dict[str, int]] = {}
        self.last_seq = dict.fromkeys(TIDS, 0)
        self.expected: dict[str, list[str]] = {tid: [] for tid in TIDS}
        self.faults: Iterator[str] = iter(())
        self._path = path
        self._exits = exits
        self._values = itertools.count()
        self._files = itertools.count()
        self.current: Deliverer | None = None
        self.zombies: list[tuple[Deliverer, list[Segment]]] = []

    def _strike(self, moment: str, tid: str) -> None:
        if moment == "before":
            self.fault = next(self.faults, "")
            if self.fault == "fenced":
                self.broker.epochs[tid] += 1
        if self.fault == f"die {moment}":
            raise Died
        if self.fault == moment:
            raise doubt("timed out")

    def start(self) -> None:
        self.starts += 1
        own_start = self.starts
        context = CommitterContext(
            sink_uid="sink",
            sink_name="Sink",
            parallelism=len(TIDS),
            max_started_parallelism=len(TIDS),
            job_id="job",
            store="store",
            start=own_start,
            first_start_of_store=not self.claimed,
            lineage=LINEAGE,
            rewound=False,
            read_start=lambda: self.starts,
            mark_claimed=lambda: setattr(self, "claimed", True),
            job_directory=self._path,
            configuration=Configuration(),
            stopping=lambda: False,
        )
        deliverer = Deliverer(context, self.broker, self.broker, OsDisk(), lambda seconds: None, lambda: 0.5)
        self._exits.callback(deliverer.close)
        self.current = deliverer
        try:
            deliverer.settle(TIDS, self.confirmed, self.pending, {LINEAGE})
        except Died:
            self.current = None

    def segments(self, sizes: tuple[int, ...], last_seq: dict[str, int]) -> list[Segment]:
        result = []
        for tid, size in zip(TIDS, sizes, strict=True):
            if size:
                name = f"{next(self._files)}.wal"
                file = SegmentFile(OsDisk(), self._path / name)
                values = [f"{tid} {next(self._values)}" for _ in range(size)]
                file.append(("topic", -1, [(None, value.encode(), 1) for value in values]))
                result.append(file.finish(tid, LINEAGE, last_seq[tid] + 1, 1, name))
        return result

    def decide(self, sizes: tuple[int, int]) -> list[Segment]:
        """A checkpoint that lists new segments as pending, and what is confirmed by now."""
        assert self.current is not None
        new = self.segments(sizes, self.last_seq)
        self.pending, self.confirmed = new, self.current.confirmed()
        for segment in new:
            self.last_seq[segment.tid] = segment.seq
            content = (self._path / segment.path).read_bytes().decode(errors="replace")
            self.expected[segment.tid] += [f"{segment.tid} {n}" for n in _numbers(content, segment.tid)]
        return new

    def epoch(self, sizes: tuple[int, int]) -> None:
        if self.current is None:
            self.start()
        if self.current is None:
            return
        new = self.decide(sizes)
        try:
            self.current.deliver(new)
        except Died:
            self.current = None

    def pause(self, sizes: tuple[int, int]) -> None:
        if self.current is not None:
            zombie = self.current
            self.zombies.append((zombie, self.decide(sizes)))
        self.start()

    def wake(self) -> None:
        """The zombie goes on with its push; without the lease it decides nothing more."""
        if self.zombies:
            zombie, segments = self.zombies.pop()
            try:
                zombie.deliver(segments)
            except (FencedError, Died):
                pass


def _numbers(content: str, tid: str) -> list[int]:
    return [int(match) for match in re.findall(rf"{tid} (\d+)", content)]


@given(actions)
@settings(max_examples=150, deadline=None)
def test_each_decided_record_is_published_once_and_in_order(what: list[tuple[str, tuple[int, int], list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as path, ExitStack() as exits:
        world = World(Path(path), exits)
        for action, sizes, strikes in what:
            world.faults = iter(strikes)
            if action == "epoch":
                world.epoch(sizes)
            elif action == "pause":
                world.pause(sizes)
            elif action == "wake":
                world.wake()
            else:
                world.start()
        world.faults = iter(())
        world.start()
        for tid in TIDS:
            assert [value for value in world.broker.output if value.startswith(tid)] == world.expected[tid]

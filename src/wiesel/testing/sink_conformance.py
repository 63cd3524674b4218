"""Checks a sink of one's own against its contract (``core.contracts.Sink``): it is killed between any two steps.

A run writes records in rounds with a checkpoint behind each, as a job does. What a killed run left is taken over by
another one, from the newest complete checkpoint, and at the end the output must hold every record: exactly once for a
sink with a committer, at least once without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import (
    Committable,
    Committer,
    CommitterContext,
    EndOfInputAware,
    Json,
    Sink,
    SinkContext,
    SinkWriter,
)
from wiesel.datastream.connectors.base import Sink as ApiSink
from wiesel.testing.clock import ManualClock
from wiesel.testing.conformance import (
    Check,
    check_all,
    demand,
    demand_same,
    difference,
    shown,
    through_json,
    through_pickle,
)

_UID: Final = "checked-sink"
_ROUNDS: Final = 3

#: Returns the sink (a spec, or a ``Sink`` around it) that writes below a directory, and what reads its output there.
MakeSink = Callable[[Path], tuple[Any, Callable[[], Sequence[Any]]]]


class SinkConformance:
    """The checks of one sink.

    Args:
        make_sink: takes an empty directory; returns the sink, and a function that returns what a reader of its output
            can see now. Called again with the same directory after a simulated crash, it returns the sink anew.
        records: what is written; all different, and as the reading function returns them.
        parallelism: the number of writers that the checks with several use.
    """

    def __init__(self, make_sink: MakeSink, records: Sequence[Any], parallelism: int = 3) -> None:
        if len(records) < _ROUNDS or difference(records, _unique(records)):
            raise ValueError(f"Give at least {_ROUNDS} records that are all different, so that each can be followed.")
        self._make = make_sink
        self._records = list(records)
        self._parallelism = parallelism

    def checks(self) -> list[Check]:
        """Return the checks, for ``@pytest.mark.parametrize("check", …, ids=str)``."""
        rules: list[tuple[Callable[[], None], str]] = [
            (self._spec_is_data, "A spec is data only: it can be pickled, and its copy writes the same."),
            (self._everything, "A run without failures publishes every record once."),
            (self._parallel_writers, "Writers of several subtasks do not get into each other's way."),
            (self._records_written, "records_written() counts what write() took."),
            (self._empty_checkpoints, "A checkpoint without records is a checkpoint."),
            (self._killed_anywhere, "Killed between any two steps and started again, nothing is missing at the end."),
        ]
        committing: list[tuple[Callable[[], None], str]] = [
            (self._nothing_early, "Output is visible when its checkpoint is complete, and not before."),
            (self._commit_again, "commit() of what is committed changes nothing."),
            (self._recover_again, "recover() publishes what a dead process left, and what it did publish stays once."),
            (self._close_publishes_nothing, "close() of a writer publishes nothing."),
        ]
        if self._is_committing():
            rules += committing
        return [Check(rule.__name__.strip("_"), text, rule) for rule, text in rules]

    def check_all(self) -> None:
        """Run all checks.

        Raises:
            ConformanceError: naming every one that fails.
        """
        check_all(self.checks())

    # ------------------------------------------------------------------------------------------------- tools

    def _is_committing(self) -> bool:
        with TemporaryDirectory() as directory:
            return bool(_spec(self._make(Path(directory))[0]).transactional)

    @contextmanager
    def _world(self, parallelism: int = 1, *, pickled: bool = False) -> Iterator[_World]:
        with TemporaryDirectory() as directory:
            world = _World(self._make, Path(directory), parallelism, pickled)
            try:
                yield world
            finally:
                world.bury()

    def _rounds(self) -> list[list[Any]]:
        size = -(-len(self._records) // _ROUNDS)
        return [self._records[start : start + size] for start in range(0, len(self._records), size)]

    # ------------------------------------------------------------------------------------------------ the rules

    def _spec_is_data(self) -> None:
        with self._world(pickled=True) as world:
            world.run(self._rounds())
            demand_same(world.read(), self._records, "From the pickled spec")

    def _everything(self) -> None:
        with self._world() as world:
            world.run(self._rounds())
            demand_same(world.read(), self._records, "At the end")

    def _parallel_writers(self) -> None:
        with self._world(self._parallelism) as world:
            world.run(self._rounds())
            demand_same(world.read(), self._records, f"From {self._parallelism} writers")

    def _records_written(self) -> None:
        with self._world() as world:
            writer = world.start().writers[0]
            for number, record in enumerate(self._records, 1):
                writer.write(record, number)
                found = writer.records_written()
                demand(found == number, f"records_written() is {found} after {number} records.")

    def _empty_checkpoints(self) -> None:
        with self._world() as world:
            world.run([[], self._records, [], []])
            demand_same(world.read(), self._records, "With empty checkpoints around the records")

    def _killed_anywhere(self) -> None:
        for step in count():
            with self._world() as world:
                name = world.run(self._rounds(), killed_before=step)
                if name is None:
                    return
                world.run(self._rounds())
                when = f"Killed before {name} and started again,"
                if self._is_committing():
                    demand_same(world.read(), self._records, when)
                else:
                    missing = difference(self._records, world.read())
                    demand(not missing, f"{when} records are missing: {shown(missing)}.")

    def _nothing_early(self) -> None:
        with self._world() as world:
            for name in world.steps(self._rounds()):
                early = difference(world.read(), world.decided_records)
                demand(not early, f"before {name} output is visible that no complete checkpoint holds: {shown(early)}.")

    def _commit_again(self) -> None:
        with self._world() as world:
            committables = self._all_prepared(world)
            committer = world.start().committer()
            for _ in range(3):
                committer.commit(committables)
                demand_same(world.read(), self._records, "After the same commit() once more")

    def _recover_again(self) -> None:
        with self._world() as world:
            committables = self._all_prepared(world)
            for _ in range(3):
                world.start().committer().recover(committables, None)
                demand_same(world.read(), self._records, "After recover() once more")

    def _close_publishes_nothing(self) -> None:
        with self._world() as world:
            run = world.start()
            run.write(self._records)
            run.close()
            found = world.read()
            demand(not found, f"close() of a writer without a checkpoint published {shown(found)}.")

    def _all_prepared(self, world: _World) -> list[Committable]:
        run = world.start()
        run.write(self._records)
        return run.prepare(1, last=True)


def _unique(records: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for record in records:
        if record not in found:
            found.append(record)
    return found


def _spec(made: Any) -> Sink:
    spec: Sink = made.spec if isinstance(made, ApiSink) else made
    return spec


@dataclass(slots=True)
class _Checkpoint:
    """A complete checkpoint: what a start goes on from."""

    rounds: int = 0
    states: list[Json] = field(default_factory=list)
    pending: list[Committable] = field(default_factory=list)
    committer: Json | None = None


class _World:
    """What outlives a process: the output, the newest checkpoint, the number of starts."""

    def __init__(self, make: MakeSink, directory: Path, parallelism: int, pickled: bool) -> None:
        self.output = directory / "output"
        self.job_directory = directory / "job"
        self.output.mkdir()
        self.job_directory.mkdir()
        self.parallelism = parallelism
        self.clock = ManualClock(1_700_000_000_000)
        self.starts = 0
        self.claimed = False
        self.checkpoint = _Checkpoint()
        self.decided_records: list[Any] = []
        self._make = make
        self._pickled = pickled
        # Held until the end: buffers of a process that was killed are not written out, as the collector would do.
        self._runs: list[_Run] = []

    def start(self) -> _Run:
        """Start a process."""
        run = _Run(self)
        self._runs.append(run)
        return run

    def bury(self) -> None:
        """Release what the dead still hold, when all is read."""
        for run in self._runs:
            with suppress(Exception):  # its files may be gone, or another's
                run.close()

    def spec(self) -> Sink:
        spec = _spec(self._make(self.output)[0])
        return _spec(through_pickle(spec)) if self._pickled else spec

    def read(self) -> list[Any]:
        return list(self._make(self.output)[1]())

    def run(self, rounds: list[list[Any]], killed_before: int | None = None) -> str | None:
        """Run to the end, or up to a step; return that step's name, None if there are fewer."""
        for number, name in enumerate(self.steps(rounds)):
            if number == killed_before:
                return name
        return None

    def steps(self, rounds: list[list[Any]]) -> Iterator[str]:
        """Go on from the newest checkpoint; yields the name of each step before it is done."""
        run = self.start()
        committer = run.committer()
        if committer is not None:
            yield "recover()"
            committer.recover(list(self.checkpoint.pending), self.checkpoint.committer)
        for index in range(self.checkpoint.rounds, len(rounds)):
            checkpoint_id = index + 1
            for record in rounds[index]:
                yield f"write() of a record of checkpoint {checkpoint_id}"
                run.write([record])
            yield f"prepare_commit({checkpoint_id})"
            committables = run.prepare(checkpoint_id, last=checkpoint_id == len(rounds))
            yield f"checkpoint {checkpoint_id} is complete"
            self._decide(run, committer, index + 1, committables)
            self.decided_records += rounds[index]
            if committer is not None:
                yield f"commit() of checkpoint {checkpoint_id}"
                committer.commit(committables)
            yield f"checkpoint {checkpoint_id} is known to be committed"
            self.checkpoint.pending = []
            self.checkpoint.committer = run.snapshot_of(committer)
        yield "close()"
        run.close()

    def _decide(self, run: _Run, committer: Committer | None, rounds: int, committables: Sequence[Committable]) -> None:
        pending = [*self.checkpoint.pending, *committables]
        self.checkpoint = _Checkpoint(rounds, run.states, pending, run.snapshot_of(committer))


class _Run:
    """One process of the job: writers and a committer. A killed one is never closed."""

    def __init__(self, world: _World) -> None:
        self.world = world
        world.starts += 1
        world.clock.advance(1000)
        self.number = world.starts
        self.spec = world.spec()
        self.states: list[Json] = []
        self.errors: list[BaseException] = []
        self.writers = [self._writer(index) for index in range(world.parallelism)]
        self._turn = 0

    def _writer(self, index: int) -> SinkWriter:
        states = self.world.checkpoint.states
        context = SinkContext(
            operator_uid=_UID,
            operator_name="checked sink",
            subtask=index,
            parallelism=self.world.parallelism,
            lineage="lineage",
            attempt=0,
            job_directory=self.world.job_directory,
            configuration=Configuration(),
            clock=self.world.clock,
            fail=self.errors.append,
        )
        own = states[index] if index < len(states) else None
        return self.spec.create_writer(context, [] if own is None else [own])

    def committer(self) -> Any:
        """Return a new committer, None for a sink without."""
        world = self.world
        first, world.claimed = not world.claimed, True
        return self.spec.create_committer(
            CommitterContext(
                sink_uid=_UID,
                sink_name="checked sink",
                parallelism=world.parallelism,
                max_started_parallelism=world.parallelism,
                job_id="conformance",
                store="store",
                start=self.number,
                first_start_of_store=first,
                lineage="lineage",
                rewound=False,
                read_start=lambda: world.starts,
                mark_claimed=lambda: None,
                job_directory=world.job_directory,
                configuration=Configuration(),
                stopping=lambda: False,
            )
        )

    def write(self, records: Sequence[Any]) -> None:
        """Write records, each with the next writer."""
        for record in records:
            self.writers[self._turn % len(self.writers)].write(record, self.world.clock.now_ms())
            self._turn += 1
        self._raise_errors()

    def prepare(self, checkpoint_id: int, *, last: bool) -> list[Committable]:
        """Do what a barrier does, and return the committables as they come back from a checkpoint."""
        found: list[Committable] = []
        self.states = []
        for writer in self.writers:
            if last and isinstance(writer, EndOfInputAware):
                writer.end_input()
            writer.flush()
            found += [self._through_json(committable) for committable in writer.prepare_commit(checkpoint_id)]
            self.states.append(through_json(writer.snapshot(), "A writer's snapshot"))
        self._raise_errors()
        return found

    @staticmethod
    def _through_json(committable: Committable) -> Committable:
        demand(committable.sink_uid == _UID, f"a committable names sink {committable.sink_uid!r}: use operator_uid.")
        return Committable(_UID, through_json(dict(committable.data), "A committable"), committable.path)

    @staticmethod
    def snapshot_of(committer: Committer | None) -> Json | None:
        """Return what the next checkpoint knows of confirmed work."""
        return None if committer is None else through_json(committer.snapshot(), "The committer's snapshot")

    def _raise_errors(self) -> None:
        if self.errors:
            raise self.errors[0]

    def close(self) -> None:
        """Close the writers."""
        writers, self.writers = self.writers, []
        for writer in writers:
            writer.close()

"""Whatever dies when, and at whatever parallelism it comes back: each record is in finished files exactly once."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.connectors.files import finished, sink_context
from wiesel.common import Types
from wiesel.common.serialization import Encoder
from wiesel.connectors.files.buckets import BucketAssigner
from wiesel.core.contracts import Committable
from wiesel.datastream.connectors.file_system import FileCompactor, FileCompactStrategy, FileSink, RollingPolicy
from wiesel.testing.clock import ManualClock


class ByLastDigit(BucketAssigner):
    def get_bucket_id(self, value: Any, timestamp: int, now_ms: int) -> str:
        return str(value % 2)


@dataclass
class Checkpoint:
    """What the engine keeps of a complete checkpoint."""

    position: int = 0
    states: list[Any] = field(default_factory=list)
    pending: list[Committable] = field(default_factory=list)


class Job:
    """Writes the numbers 0, 1, 2 … and is killed, with the engine's rules about checkpoints and commits."""

    def __init__(self, folder: Path, compacted: bool) -> None:
        builder = FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
        builder = builder.with_bucket_assigner(ByLastDigit()).with_bucket_check_interval(1)
        builder = builder.with_rolling_policy(RollingPolicy.default_rolling_policy(6, 5, 3))
        if compacted:
            strategy = FileCompactStrategy.builder().set_size_threshold(10).build()
            builder = builder.enable_compact(strategy, FileCompactor.concat_file_compactor())
        self.spec: Any = builder.build().spec_for(Types.INT())
        self.clock = ManualClock()
        self.kept = Checkpoint()
        self.id = 0
        self.start(1)

    def start(self, parallelism: int) -> None:
        states = self.kept.states
        self.position = self.kept.position
        self.committer = self.spec.create_committer(None)
        self.committer.recover(self.kept.pending, {})
        self.writers = []
        for subtask in range(parallelism):
            # The engine's rule (runtime/restore.py): at another parallelism states go round, and nobody gets none.
            if len(states) == parallelism:
                own = [states[subtask]]
            else:
                own = [state for i, state in enumerate(states) if i % parallelism == subtask] or states[:1]
            self.writers.append(self.spec.create_writer(sink_context(self.clock, subtask, parallelism), own))

    def write(self, count: int) -> None:
        for _ in range(count):
            self.writers[self.position % len(self.writers)].write(self.position, 0)
            self.position += 1

    def barrier(self) -> Checkpoint:
        self.id += 1
        pending: list[Committable] = []
        for writer in self.writers:
            writer.flush()
            pending += writer.prepare_commit(self.id)
        return Checkpoint(self.position, [writer.snapshot() for writer in self.writers], pending)

    def checkpoint(self) -> None:
        self.kept = self.barrier()
        self.committer.commit(self.kept.pending)

    def die(self, parallelism: int) -> None:
        for writer in self.writers:
            for part in writer._parts.values():
                part.stream.close()  # as the kernel does; nothing of the writer's own runs
        self.start(parallelism)

    def end(self) -> None:
        for writer in self.writers:
            writer.end_input()
        self.checkpoint()


STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 12)),
    st.tuples(st.just("wait"), st.integers(1, 6)),
    st.tuples(st.just("checkpoint"), st.just(0)),
    st.tuples(st.just("die"), st.integers(1, 3)),
    st.tuples(st.just("die in a checkpoint that is not complete"), st.integers(1, 3)),
    st.tuples(st.just("die before the commit"), st.integers(1, 3)),
    st.tuples(st.just("die within the commit"), st.integers(1, 3)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25), st.booleans())
def test_every_record_is_in_finished_files_once(steps, compacted):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job(folder, compacted)
        for step, number in steps:
            if step == "write":
                job.write(number)
            elif step == "wait":
                job.clock.advance(number)
            elif step == "checkpoint":
                job.checkpoint()
            else:
                if step != "die":
                    barrier = job.barrier()
                    if step != "die in a checkpoint that is not complete":
                        job.kept = barrier
                    if step == "die within the commit" and not compacted:
                        job.committer.commit(barrier.pending[: len(barrier.pending) // 2])
                job.die(number)
            lines = _lines(folder)
            assert max(lines.values(), default=1) == 1
            assert all(line < job.kept.position for line in lines)
        job.write(3)
        job.end()
        assert _lines(folder) == Counter(range(job.position))


def _lines(folder: Path) -> Counter[int]:
    return Counter(int(line) for text in finished(folder).values() for line in text.splitlines())

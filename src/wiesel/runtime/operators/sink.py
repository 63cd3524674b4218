"""The sink operator: hands records to a ``SinkWriter`` and gives its committables to the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wiesel.core.contracts import (
    Committable,
    CountsBytes,
    Emit,
    EndOfInputAware,
    IdleAware,
    Json,
    SinkContext,
    SinkWriter,
)
from wiesel.core.operator_specs import SinkSpec
from wiesel.runtime.operators.base import Operator


class SinkOperator(Operator):
    """``SinkSpec``. ``job_directory`` and ``lineage`` are set by the chain before ``open``."""

    job_directory: Path | None = None
    lineage: str = ""

    def __init__(self, spec: SinkSpec) -> None:
        self._spec = spec
        self._restored: list[Json] = []
        self.writer: SinkWriter | None = None

    def restore_state(self, states: Iterable[Json]) -> None:
        """Keep the writers' snapshots for ``open``."""
        self._restored = list(states)

    def open(self) -> None:
        """Create the writer."""
        context = self.context
        self.writer = self._spec.sink.create_writer(
            SinkContext(
                operator_uid=context.uid,
                operator_name=context.name,
                subtask=context.subtask,
                parallelism=context.parallelism,
                lineage=self.lineage,
                attempt=context.attempt,
                job_directory=self.job_directory,
                configuration=context.configuration,
                clock=context.clock,
                fail=context.fail,
            ),
            self._restored,
        )

    def bind(self, input_index: int) -> Emit:
        """Return the writer's own ``write``."""
        assert self.writer is not None
        return self.writer.write

    def is_available(self) -> bool:
        """Whether the writer takes more."""
        return self.writer is None or self.writer.is_available()

    def idle_listener(self) -> Callable[[], None] | None:
        """Return what the task calls when it is idle, None for writers that do not care."""
        writer: object = self.writer
        return writer.on_idle if isinstance(writer, IdleAware) else None

    def records_written(self) -> int:
        """Return how many records the writer has taken."""
        return 0 if self.writer is None else self.writer.records_written()

    def bytes_written(self) -> int:
        """Return how many bytes the writer has taken; 0 when it does not know."""
        writer: object = self.writer
        return writer.bytes_written() if isinstance(writer, CountsBytes) else 0

    def finish(self) -> None:
        """Make everything written so far durable; tell a writer that asks for it that no record comes any more."""
        if self.writer is not None:
            if isinstance(self.writer, EndOfInputAware):
                self.writer.end_input()
            self.writer.flush()

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Make everything before the barrier durable and return what is to be committed."""
        assert self.writer is not None
        self.writer.flush()
        return self.writer.prepare_commit(checkpoint_id)

    def snapshot_state(self) -> Json | None:
        """Return the writer's state."""
        assert self.writer is not None
        return self.writer.snapshot()

    def close(self) -> None:
        """Close the writer."""
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.close()

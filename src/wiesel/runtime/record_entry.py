"""Where records enter a task's chain: one loop for a source's batches, one for an exchange's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import length_hint
from typing import Any

from wiesel.core.contracts import SourceBatch
from wiesel.runtime.chain import OperatorChain
from wiesel.runtime.exchange.input_gate import InputBatch
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.inlining import emit_function, run_function


class RecordEntry:
    """Hands batches to the chain, counts their records, and can tell where the one being processed came from.

    Args:
        chain: the task's operators.
        writers: its outgoing edges; a source's records may go straight to the only one.
        is_source: whether the chain begins with a source.
    """

    def __init__(self, chain: OperatorChain, writers: Sequence[RecordWriter], is_source: bool) -> None:
        self.count = 0
        self.locate: Callable[[], str | None] = _nowhere
        first, backend = chain.vertex.operators[0].name, chain.backend
        self._run = [run_function(targets, first) for targets in chain.inputs]
        self._run_keyed = None
        if backend is not None:
            self._run_keyed = [backend.bind_keyed(emit_function(targets, first)) for targets in chain.inputs]
        self._sides = chain.source_sides
        goes_straight = is_source and not chain.vertex.links and len(writers) == 1 and not chain.source_sides
        self._only_writer = writers[0] if goes_straight else None

    def source_batch(self, batch: SourceBatch) -> None:
        """Process what a reader found."""
        self.count += len(batch.values)
        if batch.side_outputs is not None:
            self._side_outputs(batch.side_outputs)
        if self._only_writer is not None:
            self._only_writer.emit_batch(batch.values, batch.timestamps)
            return
        values = iter(batch.values)
        # Only asked when something is raised: the iterator then tells which record it was.
        self.locate = lambda: _place(batch.locate, len(batch.values) - length_hint(values) - 1)
        self._run[0](values, batch.timestamps)
        self.locate = _nowhere

    def _side_outputs(self, side_outputs: Mapping[str, Sequence[tuple[Any, int]]]) -> None:
        for tag, records in side_outputs.items():
            emit = self._sides.get(tag)
            if emit is not None:
                for value, timestamp in records:
                    emit(value, timestamp)

    def input_batch(self, event: InputBatch) -> None:
        """Process what came through an exchange, each record under its key where it has one."""
        batch = event.batch
        self.count += len(batch.values)
        if batch.keys is not None and self._run_keyed is not None:
            self._run_keyed[event.input_index](batch.values, batch.timestamps, batch.keys)
            return
        self._run[event.input_index](batch.values, batch.timestamps)


def _place(locate: Callable[[int], str] | None, index: int) -> str | None:
    return None if locate is None else locate(max(index, 0))


def _nowhere() -> str | None:
    return None

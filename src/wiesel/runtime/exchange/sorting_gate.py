"""The input of an operator in BATCH mode: collected first, then handed over one key after the other, by event time.

Page mirrored: "Execution Mode (Batch/Streaming)" of Flink's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, groupby, islice
from typing import Final

from wiesel.core.elements import Batch, CheckpointBarrier, EndOfInput, EndOfKey
from wiesel.core.errors import CheckpointError
from wiesel.core.state_key import canonical_pickle
from wiesel.runtime.exchange.input_gate import GateEvent, InputBatch, InputGate
from wiesel.runtime.external_sort import ExternalSorter, SortRecord

#: Records that are handed over at a time.
_BATCH: Final = 512
_NO_KEY: Final = b""


class SortingGate:
    """An ``InputGate`` that keeps its records back until all of them are there.

    Args:
        gate: where they come from.
        sorter: where they wait.
        passing: the input that is handed on as it comes, before all others (a broadcast side); None is none.
    """

    def __init__(self, gate: InputGate, sorter: ExternalSorter, passing: int | None) -> None:
        self._gate = gate
        self._sorter = sorter
        self._passing = passing
        self._numbers = count()
        self._replay: Iterator[GateEvent] | None = None

    def next(self) -> GateEvent | None:
        """Return the next thing to do, or None when nothing is there.

        While records are collected that is an empty batch: something was taken, and nothing is to be done.
        """
        if self._replay is not None:
            event = next(self._replay, None)
            return self._gate.next() if event is None else event
        event = self._gate.next()
        if event is None:
            return None
        if isinstance(event, CheckpointBarrier):  # the JobMaster triggers none before all input is over
            raise CheckpointError("A barrier came among records that are being sorted; they would be lost.")
        if isinstance(event, EndOfInput):
            self._replay = self._sorted()
            return next(self._replay)
        if type(event) is InputBatch:
            if event.input_index == self._passing:
                return event
            self._collect(event.input_index, event.batch)
        return InputBatch(0, Batch([], []))  # watermarks say nothing: no record is late before all are there

    @property
    def bytes_in(self) -> int:
        """Bytes of the records that came from other processes."""
        return self._gate.bytes_in

    def close(self) -> None:
        """Forget what was collected."""
        self._sorter.close()

    def _collect(self, input_index: int, batch: Batch) -> None:
        numbers, values, timestamps = self._numbers, batch.values, batch.timestamps
        if batch.keys is None:  # in the order of arrival
            records = [
                SortRecord(_NO_KEY, 0, next(numbers), input_index, None, value, timestamp)
                for value, timestamp in zip(values, timestamps, strict=True)
            ]
        else:
            records = [
                SortRecord(canonical_pickle(key), timestamp, next(numbers), input_index, key, value, timestamp)
                for value, timestamp, key in zip(values, timestamps, batch.keys, strict=True)
            ]
        self._sorter.add(records)

    def _sorted(self) -> Iterator[GateEvent]:
        for rank, records in groupby(self._sorter.drain(), key=_rank):
            while part := list(islice(records, _BATCH)):
                for input_index, run in groupby(part, key=_input_index):
                    yield _batch(input_index, list(run), keyed=rank != _NO_KEY)
            if rank != _NO_KEY:
                yield EndOfKey()
        yield EndOfInput()


def _rank(record: SortRecord) -> bytes:
    return record.rank


def _input_index(record: SortRecord) -> int:
    return record.input_index


def _batch(input_index: int, records: list[SortRecord], keyed: bool) -> InputBatch:
    keys = [record.key for record in records] if keyed else None
    return InputBatch(
        input_index, Batch([record.value for record in records], [record.timestamp for record in records], keys)
    )

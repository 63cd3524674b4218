"""An external merge sort: what memory does not hold waits in temporary files, each sorted in itself."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, NamedTuple

from wiesel.core.pickling import pickle_value, unpickle_value

#: Records that are read back at a time from each file.
_BLOCK: Final = 512
#: Files that are merged at a time; more become one, because each has a block in memory and a descriptor.
_MAX_RUNS: Final = 64
_LENGTH: Final = struct.Struct(">Q")
#: What a record takes in memory besides its value, and how much larger a value is there than its pickle; both roughly.
_RECORD_BYTES: Final = 250
_VALUE_FACTOR: Final = 3


class SortRecord(NamedTuple):
    """A record and what it is sorted by: its key, its time, and its number, which no other has.

    Args:
        rank: stands for the key; records of one key have the same.
        time: event time that counts for the order.
        number: of its arrival.
        input_index: the operator's input that it belongs to.
        key: the key itself.
        value: the record's value.
        timestamp: its event time, milliseconds.
    """

    rank: bytes
    time: int
    number: int
    input_index: int
    key: object
    value: object
    timestamp: int


class ExternalSorter:
    """Takes records in any order and gives them back once, sorted.

    Args:
        memory: bytes that records may take before they are written to a file; an estimate.
        open_file: opens a temporary file that is gone when it is closed.
    """

    def __init__(self, memory: int, open_file: Callable[[], IO[bytes]]) -> None:
        self._memory = memory
        self._open_file = open_file
        self._records: list[SortRecord] = []
        self._bytes = 0
        self._runs: list[IO[bytes]] = []

    def add(self, records: list[SortRecord]) -> None:
        """Take records that came together; the first one's size is taken for that of all.

        Raises:
            pickle.PicklingError, TypeError, AttributeError: they cannot be written to a file.
        """
        if not records:
            return
        self._records += records
        self._bytes += len(records) * (_RECORD_BYTES + _VALUE_FACTOR * len(pickle_value(records[0].value)))
        if self._bytes >= self._memory:
            self._spill()

    def drain(self) -> Iterator[SortRecord]:
        """Yield all records in order; the sorter is empty then."""
        self._records.sort()
        in_memory, self._records, self._bytes = self._records, [], 0
        yield from heapq.merge(*map(_read, self._runs), in_memory)
        self.close()

    def close(self) -> None:
        """Forget all records."""
        for run in self._runs:
            run.close()
        self._runs, self._records = [], []

    def _spill(self) -> None:
        self._records.sort()
        self._write(self._records)
        self._records, self._bytes = [], 0
        if len(self._runs) >= _MAX_RUNS:
            merged, self._runs = self._runs, []
            self._write(heapq.merge(*map(_read, merged)))
            for run in merged:
                run.close()

    def _write(self, records: Iterable[SortRecord]) -> None:
        run = self._open_file()
        self._runs.append(run)
        block: list[SortRecord] = []
        for record in records:
            block.append(record)
            if len(block) == _BLOCK:
                _append(run, block)
                block = []
        _append(run, block)


def _append(run: IO[bytes], block: list[SortRecord]) -> None:
    data = pickle_value([tuple(record) for record in block])
    run.write(_LENGTH.pack(len(data)))
    run.write(data)


def _read(run: IO[bytes]) -> Iterator[SortRecord]:
    run.seek(0)
    while header := run.read(_LENGTH.size):
        for record in unpickle_value(run.read(_LENGTH.unpack(header)[0])):
            yield SortRecord(*record)

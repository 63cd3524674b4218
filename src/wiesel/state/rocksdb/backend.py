"""The RocksDB state backend: the heap's, with tables that keep their entries in a database and cache some of them.

Timers stay in memory. A snapshot is the database's files as of the barrier, linked and not copied, beside a small file
of pieces; a file that an earlier checkpoint has as well is neither read nor written again. Until the files are linked
the database is left alone and changes stay in the cache.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from wiesel.core.contracts import Clock, Emit, KeepFile, KeptFile
from wiesel.core.state_schema import Conversion
from wiesel.core.state_ttl import TtlCleanupStrategies
from wiesel.core.types import TypeInformation
from wiesel.state.heap.backend import STATES, HeapKeyedStateBackend, timer_pieces
from wiesel.state.heap.table import Table
from wiesel.state.heap.timers import TimerQueue
from wiesel.state.heap.ttl import Lifetime
from wiesel.state.rocksdb.barrier import BarrierFiles
from wiesel.state.rocksdb.database import IMMUTABLE_SUFFIX, Database, in_batches, put_together
from wiesel.state.rocksdb.encoding import key_group_in, table_prefix
from wiesel.state.rocksdb.expiry import Accesses
from wiesel.state.rocksdb.table import RocksDBTable, converted

#: The piece of a snapshot that says which number each table has in the database's files.
_NUMBERS: Final = "_numbers"
#: Bytes of cached values after which the cache is emptied, and of changes at most until a snapshot's files are linked.
_CACHED_BYTES: Final = 64 << 20
_WAITING_BYTES: Final = 32 << 20
#: Records between two looks at the size of the cache.
_RECORDS_AT_ONCE: Final = 128
#: Entries of an expiring state that are looked at for each access to it.
_ENTRIES_PER_ACCESS: Final = 2


class RocksDBSnapshot:
    """A snapshot under way (``core.contracts.StateSnapshot``)."""

    def __init__(self, pieces: Iterable[bytes], barrier: BarrierFiles, backend: RocksDBKeyedStateBackend) -> None:
        self._pieces = pieces
        self._barrier = barrier
        self._backend = backend

    def slices(self) -> Iterator[bytes]:
        """Yield schemas, table numbers and timers."""
        return iter(self._pieces)

    def files(self, keep: KeepFile) -> Sequence[KeptFile]:
        """Have the database's files kept; on an I/O thread."""
        return self._backend.keep_files(self._barrier, keep)

    def release(self) -> None:
        """Let the database change again, if the files were never gathered."""
        self._barrier.release()


class RocksDBKeyedStateBackend(HeapKeyedStateBackend):
    """State on disk; for state that is larger than memory.

    Args:
        key_group_of: key group of a user key, the first part of every key in the database.
        directory: for the database; must not exist, and is removed with ``close``.
        clock: by which state with a time to live ages.
        operator: whose state it is, for messages.
        key_type: of the keys; None is unknown.
        memory: bytes for blocks read from disk.
        write_buffer: bytes of new entries gathered in memory.
    """

    def __init__(
        self,
        key_group_of: Callable[[Any], int],
        directory: Path,
        clock: Clock | None = None,
        operator: str = "the operator",
        key_type: TypeInformation | None = None,
        *,
        memory: int,
        write_buffer: int,
    ) -> None:
        super().__init__(key_group_of, clock, operator, key_type)
        self._directory = directory
        self._sizes = memory, write_buffer
        self._opened: Database | None = None
        self._on_disk: dict[str, RocksDBTable] = {}
        self._numbers: dict[str, int] = {}
        self._expiring_tables: dict[str, Accesses] = {}
        self._kept: dict[str, KeptFile] = {}
        #: The last snapshot's files; until they are linked the database must not change.
        self._barrier: BarrierFiles | None = None
        self._snapshots = 0

    @property
    def _database(self) -> Database:
        if self._opened is None:
            self._directory.parent.mkdir(parents=True, exist_ok=True)
            self._directory.mkdir(mode=0o700, exist_ok=True)  # it may be among everybody's temporary files
            self._opened = Database(self._directory, *self._sizes)
        return self._opened

    def _new_table(self, name: str, immutable: bool, namespaced: bool) -> Table:
        number = self._numbers.setdefault(name, max(self._numbers.values(), default=-1) + 1)
        table = RocksDBTable(
            name, immutable, namespaced, number, self._database, self._key_group_of, self._let_it_change
        )
        self._on_disk[name] = table
        return table

    def _new_sweeper(self, table: Table, lifetime: Lifetime, cleanup: TtlCleanupStrategies) -> Any:
        # As in Flink the incremental strategy is the heap's, and what is off in the background is off.
        wanted = cleanup.get_rocksdb_compact_filter_cleanup_strategy() is not None
        accesses = self._expiring_tables[table.name] = Accesses(lifetime, _ENTRIES_PER_ACCESS if wanted else 0)
        return accesses

    def number_of_keys(self) -> int:
        """Return about how many entries are in the database."""
        return self._database.number_of_keys()

    # --------------------------------------------------------------------------------------- between batches

    def bind_keyed(self, process: Emit) -> Callable[[list[Any], list[int], list[Any]], None]:
        """Return the loop that sets each record's key and processes it; now and then it tidies up."""
        run = super().bind_keyed(process)

        def run_tidy(values: list[Any], timestamps: list[int], keys: list[Any]) -> None:
            for begin in range(0, len(values), _RECORDS_AT_ONCE):  # values may be large
                end = begin + _RECORDS_AT_ONCE
                self.tidy()
                run(values[begin:end], timestamps[begin:end], keys[begin:end])

        return run_tidy

    def _pop(self, queue: TimerQueue, until: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        self.tidy()
        return super()._pop(queue, until, limit)

    def tidy(self) -> None:
        """Write changes and bound the cache, unless a snapshot's files have still to be linked."""
        if self._barrier is not None and not self._barrier.is_over:
            stores = [table.store for table in self._on_disk.values()]
            if sum(store.waiting_bytes() for store in stores) < _WAITING_BYTES and not any(
                store.loaded > _CACHED_BYTES for store in stores
            ):
                return
            self._let_it_change()
        for table in self._on_disk.values():
            store = table.store
            if store.is_full() or store.loaded > _CACHED_BYTES:
                store.flush()
            if store.loaded > _CACHED_BYTES:
                store.forget()
        for name, accesses in self._expiring_tables.items():
            accesses.look(self._on_disk[name])

    # --------------------------------------------------------------------------------------------- snapshots

    def _let_it_change(self) -> None:
        """Link a snapshot's files now if nobody has: memory comes first, or the next snapshot."""
        if self._barrier is not None:
            self._barrier.link_early()
            self._barrier = None

    def snapshot(self) -> Any:
        """Begin a snapshot of everything that is true now."""
        self._let_it_change()
        for table in self._on_disk.values():
            table.store.flush()
        self._snapshots += 1
        place = self._directory.with_name(f"{self._directory.name}.barrier-{self._snapshots}")
        barrier = self._barrier = BarrierFiles(self._database, place)
        states = pickle.dumps((STATES, self._states(self._tables.values())), protocol=5)
        numbers = pickle.dumps((_NUMBERS, self._numbers), protocol=5)
        return RocksDBSnapshot(chain([numbers, states], timer_pieces(self._timers.snapshot())), barrier, self)

    def keep_files(self, barrier: BarrierFiles, keep: KeepFile) -> list[KeptFile]:
        """Have every file of the database, as of the barrier, kept in the checkpoint; on an I/O thread."""
        try:
            kept = {path.name: keep(path.name, path, self._kept.get(path.name)) for path in barrier.link()}
        finally:
            barrier.release()
        self._kept = {name: file for name, file in kept.items() if name.endswith(IMMUTABLE_SUFFIX)}
        return list(kept.values())

    def restore(
        self, pieces: Iterable[bytes], key_groups: range | None, files: Mapping[str, Path] | None = None
    ) -> None:
        """Load one snapshot: its files become ours, or with ``key_groups`` the entries of those groups are copied."""
        pieces = iter(pieces)
        if not files:
            self._restore_pieces(self._written_out(pieces), key_groups)  # the heap's: its values go into the database
            for table in self._on_disk.values():
                table.store.flush()  # who asks what kind of values there are looks into the database
            return
        _, numbers = pickle.loads(next(pieces))
        if key_groups is None and self._opened is None:
            put_together(files, self._directory)
            self._numbers = numbers
            self._restore_pieces(pieces, None)
        else:
            self._copy_entries(numbers, files, key_groups, self._restore_pieces(pieces, key_groups))

    def _written_out(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self.tidy()

    def _copy_entries(
        self,
        numbers: Mapping[str, int],
        files: Mapping[str, Path],
        key_groups: range | None,
        changes: Mapping[str, Conversion],
    ) -> None:
        """Copy entries out of another database, whose tables have numbers of their own."""
        place = self._directory.with_name(f"{self._directory.name}.restored")
        put_together(files, place)
        database = Database(place, *self._sizes)
        try:
            for name, number in numbers.items():
                prefix, change = self._on_disk[name].prefix, changes.get(name)
                ours = (
                    (prefix + key[len(prefix) :], raw if change is None else converted(raw, change))
                    for key, raw in database.entries(table_prefix(number))
                    if key_groups is None or key_group_in(key) in key_groups
                )
                for batch in in_batches(ours):
                    self._database.write(batch)
        finally:
            database.close()

    def close(self) -> None:
        """Close the database and remove it: what is worth keeping is in checkpoints."""
        if self._barrier is not None:
            self._barrier.release()  # an I/O thread that comes late finds it given up, not a closed database
        for table in self._on_disk.values():
            table.store.clear()
        self._tables.clear()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

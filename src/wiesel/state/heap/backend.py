"""The heap state backend: all state of one keyed operator in one subtask (``core.contracts.KeyedStateBackend``)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wiesel.core.clock import SystemClock
from wiesel.core.contracts import Clock, Emit, KeepFile, KeptFile
from wiesel.core.errors import RestoreRefusedError, StateAccessError
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.core.state_key import PickledKey, original_key, state_key
from wiesel.core.state_schema import Conversion, StateSchema, check_key_type, conversion, schema_of, type_descriptor_of
from wiesel.core.types import BasicTypeInfo, Descriptor, TypeInformation
from wiesel.state.heap.first_writes import check_first_writes
from wiesel.state.heap.states import (
    HeapListState,
    HeapMapState,
    HeapReducingState,
    HeapValueState,
    check_first_updates,
    locator,
)
from wiesel.state.heap.table import MASK, Cursor, Table
from wiesel.state.heap.timers import HeapTimers, TimerQueue

if TYPE_CHECKING:
    from wiesel.core.state_ttl import TtlCleanupStrategies
    from wiesel.state.heap.ttl import Lifetime

#: Names under which timers, and what the states are, stand among the tables of a snapshot; no descriptor may use them.
_TIMERS: Final = "_timers"
STATES: Final = "_states"
_TIMERS_PER_PIECE: Final = 2048


class HeapInternalState:
    """State of the engine's own, by namespace (``core.contracts.InternalState``)."""

    __slots__ = ("get", "put", "remove")

    get: Callable[[Any], Any]
    put: Callable[[Any, Any], None]
    remove: Callable[[Any], None]

    def __init__(self, table: Table, cursor: Cursor) -> None:
        shards, immutable = table.shards, table.immutable

        def get(namespace: Any) -> Any:
            key = (cursor.key, namespace)
            if not immutable and table.pre_images is not None:
                table.touch(cursor.bucket, key)
            return shards[cursor.bucket].get(key)

        def put(namespace: Any, value: Any) -> None:
            key = (cursor.key, namespace)
            if table.pre_images is not None:
                table.touch(cursor.bucket, key)
            shards[cursor.bucket][key] = value

        def remove(namespace: Any) -> None:
            key = (cursor.key, namespace)
            if table.pre_images is not None:
                table.touch(cursor.bucket, key)
            shards[cursor.bucket].pop(key, None)

        self.get, self.put, self.remove = get, put, remove


class HeapSnapshot:
    """A snapshot under way (``core.contracts.StateSnapshot``)."""

    def __init__(
        self, states: dict[str, Any], tables: Sequence[Table], timers: Iterator[tuple[str, int, Any, Any]]
    ) -> None:
        self._states = states
        self._tables = tables
        self._timers = timers

    def slices(self) -> Iterator[bytes]:
        """Yield the pieces; an iterator that is dropped half-way leaves state untouched."""
        yield pickle.dumps((STATES, self._states), protocol=5)
        yield from timer_pieces(self._timers)
        for table in self._tables:
            yield from table.snapshot_slices()

    def files(self, keep: KeepFile) -> Sequence[KeptFile]:
        """Return nothing: all of it is in the pieces."""
        return ()

    def release(self) -> None:
        """Nothing is held back for it."""


def timer_pieces(timers: Iterator[tuple[str, int, Any, Any]]) -> Iterator[bytes]:
    """Yield timers as pieces of a snapshot."""
    # Counted in timers, not in times: windows of a year are thousands of times with a few timers each.
    while part := list(islice(timers, _TIMERS_PER_PIECE)):
        yield pickle.dumps((_TIMERS, part), protocol=5)


class HeapKeyedStateBackend:
    """Dictionaries in shards; the default backend and the fastest.

    Args:
        key_group_of: key group of a user key, used only to split a snapshot for another parallelism.
        clock: by which state with a time to live ages; the machine's without one.
        operator: whose state it is, for messages.
        key_type: of the keys; None is unknown.
    """

    def __init__(
        self,
        key_group_of: Callable[[Any], int],
        clock: Clock | None = None,
        operator: str = "the operator",
        key_type: TypeInformation | None = None,
    ) -> None:
        self._key_group_of = key_group_of
        self._operator = operator
        self._key_type = key_type
        self._clock = clock or SystemClock()
        self._cursor = cursor = Cursor()

        def current_key() -> Any:
            return original_key(cursor.key) if type(cursor.key) is PickledKey else cursor.key

        self.current_key: Callable[[], Any] = current_key  # the key as the user gave it; asked for every record
        self._tables: dict[str, Table] = {}
        self._sweepers: dict[str, Any] = {}
        self._sweeping_always: list[Any] = []  # those that clean up for records that do not touch their state, too
        self._timers = HeapTimers(self._cursor)

    # ------------------------------------------------------------------------------------------------ keys

    def set_current_key(self, key: Any) -> None:
        """Choose the key that states and timers work on."""
        cursor = self._cursor
        cursor.key = identity = state_key(key)
        cursor.bucket = hash(identity) & MASK

    def bind_keyed(self, process: Emit) -> Callable[[list[Any], list[int], list[Any]], None]:
        """Return the loop that sets each record's key and processes it."""
        cursor, sweeping = self._cursor, self._sweeping_always

        def run(values: list[Any], timestamps: list[int], keys: list[Any]) -> None:
            for value, timestamp, key in zip(values, timestamps, keys, strict=True):
                kind = type(key)
                cursor.key = identity = key if kind is str or kind is int else state_key(key)
                cursor.bucket = hash(identity) & MASK
                process(value, timestamp)
            for sweeper in sweeping:  # a batch may ask for state for the first time
                sweeper.sweep(len(values))

        return run

    # ----------------------------------------------------------------------------------------------- states

    def state(self, descriptor: Any, namespace: Callable[[], Any] | None = None) -> Any:
        """Return the user-facing state of ``descriptor``."""
        if not isinstance(descriptor, StateDescriptor):
            raise TypeError(f"Expected a state descriptor, got {type(descriptor).__name__}.")
        expires = descriptor.ttl_config is not None and descriptor.ttl_config.is_enabled()
        plain = isinstance(descriptor, ValueStateDescriptor | ReducingStateDescriptor)
        atomic = plain and isinstance(descriptor.type_info, BasicTypeInfo) and not expires
        table = self._table(descriptor.name, atomic, namespace is not None)
        self._claim(table, schema_of(descriptor))
        if expires:
            return self._expiring(descriptor, table, namespace)
        if table.stamped is not False:
            from wiesel.state.heap.ttl import stamp_table

            stamp_table(table, None, descriptor)
        value = HeapValueState(table, self._cursor, locator(self._cursor, namespace))
        if isinstance(descriptor, ListStateDescriptor):
            return self._checked(descriptor, table, HeapListState(value))
        if isinstance(descriptor, MapStateDescriptor):
            return self._checked(descriptor, table, HeapMapState(value))
        return self._value_or_fold(descriptor, table, value)

    def _checked(self, descriptor: Any, table: Table, state: Any) -> Any:
        if table.schema is None or table.schema.type_descriptor is None:
            return state
        return check_first_writes(state, table, descriptor.type_info.coercer(), self._what(table.name))

    def _value_or_fold(self, descriptor: Any, table: Table, value: HeapValueState) -> Any:
        if table.schema is not None and table.schema.type_descriptor is not None:
            check_first_updates(value, table, descriptor.type_info.coercer(), self._what(table.name))
        if isinstance(descriptor, ValueStateDescriptor):
            return value
        if isinstance(descriptor, ReducingStateDescriptor):
            return HeapReducingState.reducing(value, descriptor.get_reduce_function())
        if isinstance(descriptor, AggregatingStateDescriptor):
            return HeapReducingState.aggregating(value, descriptor.get_agg_function())
        raise TypeError(f"No state for a {type(descriptor).__name__}.")

    def _expiring(self, descriptor: Any, table: Table, namespace: Callable[[], Any] | None) -> Any:
        """Return a state with a time to live."""
        from wiesel.state.heap import ttl

        config = descriptor.ttl_config
        lifetime = ttl.Lifetime(config, self._clock.now_ms)
        cleanup = config.get_cleanup_strategies()
        sweeper = self._sweepers.get(descriptor.name)
        if sweeper is None:  # one for all handles: state of windows is asked for anew at every firing
            incremental = cleanup.get_incremental_cleanup_strategy()
            sweeper = self._sweepers[descriptor.name] = self._new_sweeper(table, lifetime, cleanup)
            if incremental is not None and incremental.run_cleanup_for_every_record():
                self._sweeping_always.append(sweeper)
        ttl.stamp_table(table, lifetime, descriptor)
        table.survivor = lifetime.survivor if cleanup.in_full_snapshot() else None
        locate = locator(self._cursor, namespace)
        if isinstance(descriptor, ListStateDescriptor):
            values = ttl.TtlListState(HeapValueState(table, self._cursor, locate), lifetime, sweeper)
            return self._checked(descriptor, table, values)
        if isinstance(descriptor, MapStateDescriptor):
            entries = ttl.TtlMapState(HeapValueState(table, self._cursor, locate), lifetime, sweeper)
            return self._checked(descriptor, table, entries)
        value = ttl.TtlValueState(table, self._cursor, locate, lifetime, sweeper)
        return self._value_or_fold(descriptor, table, value)

    def internal_state(self, name: str, *, immutable: bool = False, kind: str = "") -> HeapInternalState:
        """Return a namespaced state of the engine's own."""
        table = self._table(name, immutable, namespaced=True)
        self._claim(table, StateSchema(kind))
        return HeapInternalState(table, self._cursor)

    def _claim(self, table: Table, schema: StateSchema) -> None:
        """Note what a state is; the values of a restored one become what the program has them be.

        Raises:
            RestoreRefusedError: they cannot.
        """
        saved, what = table.schema, self._what(table.name)
        if saved is None:
            table.schema = schema
        elif not saved.is_like(schema):
            if table.claimed:
                raise StateAccessError(f"{what} is asked for as {saved} and as {schema}; use two names.")
            self._convert(table, conversion(saved, schema, what))
            table.schema = schema.after(saved)
        table.claimed = True

    def _convert(self, table: Table, change: Conversion | None) -> None:
        if change is not None:
            from wiesel.state.heap.ttl import is_stamped

            table.replace_all(change.of_stored(is_stamped(table)))

    def _what(self, name: str) -> str:
        return f"State {name!r} of {self._operator}"

    def unclaimed(self) -> Sequence[str]:
        """Return the names of restored states that the program has not asked for."""
        return [table.name for table in self._tables.values() if not table.claimed]

    def _table(self, name: str, immutable: bool, namespaced: bool) -> Table:
        if name in (_TIMERS, STATES):
            raise StateAccessError(f"{name!r} is the engine's own name; choose another for the state.")
        table = self._tables.get(name)
        if table is None:
            return self._tables.setdefault(name, self._new_table(name, immutable, namespaced))
        if table.namespaced != namespaced:
            raise StateAccessError(f"State {name!r} is used both per window and over all windows; use two names.")
        table.immutable = immutable  # a restored table learns it when its state is registered
        return table

    def _new_table(self, name: str, immutable: bool, namespaced: bool) -> Table:
        return Table(name, immutable, namespaced)

    def _new_sweeper(self, table: Table, lifetime: Lifetime, cleanup: TtlCleanupStrategies) -> Any:
        from wiesel.state.heap.ttl import Sweeper

        incremental = cleanup.get_incremental_cleanup_strategy()
        return Sweeper(table, lifetime, 0 if incremental is None else incremental.get_cleanup_size())

    def number_of_keys(self) -> int:
        """Return the number of state entries."""
        return sum(table.number_of_entries() for table in self._tables.values())

    # ----------------------------------------------------------------------------------------------- timers

    def timers(self) -> HeapTimers:
        """Return the operator's timers."""
        return self._timers

    def next_event_time(self) -> int | None:
        """See ``KeyedStateBackend``."""
        return self._timers.event.next_time()

    def next_processing_time(self) -> int | None:
        """Return when the earliest processing-time timer is due."""
        return self._timers.processing.next_time()

    def pop_event_timers(self, watermark: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """Remove and return due event-time timers with their user keys."""
        return self._pop(self._timers.event, watermark, limit)

    def pop_processing_timers(self, now_ms: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """Remove and return due processing-time timers with their user keys."""
        return self._pop(self._timers.processing, now_ms, limit)

    def _pop(self, queue: TimerQueue, until: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        return [(timestamp, original_key(key), namespace) for timestamp, key, namespace in queue.pop_due(until, limit)]

    # ---------------------------------------------------------------------------------------------- snapshots

    def snapshot(self) -> HeapSnapshot:
        """Begin a snapshot of everything that is true now."""
        tables = list(self._tables.values())
        for table in tables:
            table.begin_snapshot()
        return HeapSnapshot(self._states(tables), tables, self._timers.snapshot())

    def _states(self, tables: Iterable[Table]) -> dict[str, Any]:
        saved = []
        for table in tables:
            schema = table.schema or StateSchema("")
            saved.append((table.name, table.namespaced, schema.kind, schema.type_descriptor, schema.version))
        return {"key": type_descriptor_of(self._key_type), "states": saved}

    def restore(
        self, pieces: Iterable[bytes], key_groups: range | None, files: Mapping[str, Path] | None = None
    ) -> None:
        """Load one snapshot; with ``key_groups`` only the keys of those groups (another parallelism)."""
        if files:
            raise RestoreRefusedError(
                f"The state of {self._operator} was saved by RocksDB. Go on with state.backend.type: rocksdb."
            )
        self._restore_pieces(pieces, key_groups)

    def _restore_pieces(self, pieces: Iterable[bytes], key_groups: range | None) -> dict[str, Conversion]:
        """Load pieces; return what the values of a snapshot have to go through, by state."""
        wanted = None if key_groups is None else self._membership(key_groups)
        changes: dict[str, Conversion] = {}
        for piece in pieces:
            name, *rest = pickle.loads(piece)
            if name == _TIMERS:
                for domain, timestamp, key, namespace in rest[0]:
                    if wanted is None or wanted(key):
                        self._timers.restore(domain, timestamp, key, namespace)
            elif name == STATES:
                changes = self._restore_schemas(**rest[0])
            else:
                keys, values = rest
                self._restore_values(self._tables[name], keys, values, changes.get(name), wanted)
        return changes

    def _restore_schemas(self, key: Descriptor, states: list[tuple[Any, ...]]) -> dict[str, Conversion]:
        """Prepare the tables of a snapshot; return what has to be done to its values where the table is ahead of it."""
        check_key_type(key, type_descriptor_of(self._key_type), self._operator)
        changes = {}
        for name, namespaced, *fields in states:
            schema = StateSchema(*fields)
            table = self._table(name, immutable=False, namespaced=namespaced)
            table.stamped, table.claimed = None, False
            known = table.schema
            if known is None or known.is_like(schema):
                table.schema = schema if known is None or known.version < schema.version else known
            elif known.version < schema.version:
                self._convert(table, conversion(known, schema, self._what(name)))
                table.schema = schema
            elif change := conversion(schema, known, self._what(name)):
                changes[name] = change
        return changes

    def _restore_values(
        self,
        table: Table,
        keys: list[Any],
        values: list[Any],
        change: Conversion | None,
        wanted: Callable[[Any], bool] | None,
    ) -> None:
        if change is not None:
            from wiesel.state.heap.ttl import is_stamped_value

            values = [change.of_stored(is_stamped_value(value))(value) for value in values]
        shards = table.shards
        for key, value in zip(keys, values, strict=True):
            plain = key[0] if table.namespaced else key
            if wanted is None or wanted(plain):
                shards[hash(plain) & MASK][key] = value

    def _membership(self, key_groups: range) -> Callable[[Any], bool]:
        return lambda key: self._key_group_of(original_key(key)) in key_groups

    def close(self) -> None:
        """Drop all state, shard by shard: freeing one big dictionary would be a pause of its own."""
        for table in self._tables.values():
            for shard in table.shards:
                shard.clear()
        self._tables.clear()

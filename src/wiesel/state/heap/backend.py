"""The heap state backend: all state of one keyed operator in one subtask (``core.contracts.KeyedStateBackend``)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from wiesel.core.clock import SystemClock
from wiesel.core.contracts import Clock, Emit
from wiesel.core.errors import StateAccessError
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.core.state_key import original_key, state_key
from wiesel.core.types import BasicTypeInfo
from wiesel.state.heap.states import (
    HeapListState,
    HeapMapState,
    HeapReducingState,
    HeapValueState,
    locator,
)
from wiesel.state.heap.table import MASK, Cursor, Table
from wiesel.state.heap.timers import HeapTimers, TimerQueue

if TYPE_CHECKING:
    from wiesel.state.heap.ttl import Sweeper

#: Name under which timers stand among the tables of a snapshot; no descriptor may use it.
_TIMERS: Final = "_timers"
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

    def __init__(self, tables: Sequence[Table], timers: Iterator[tuple[str, int, Any, Any]]) -> None:
        self._tables = tables
        self._timers = timers

    def slices(self) -> Iterator[bytes]:
        """Yield the pieces; an iterator that is dropped half-way leaves state untouched."""
        # Counted in timers, not in times: windows of a year are thousands of times with a few timers each.
        while part := list(islice(self._timers, _TIMERS_PER_PIECE)):
            yield pickle.dumps((_TIMERS, part), protocol=5)
        for table in self._tables:
            yield from table.snapshot_slices()


class HeapKeyedStateBackend:
    """Dictionaries in shards; the default backend and the fastest.

    Args:
        key_group_of: key group of a user key, used only to split a snapshot for another parallelism.
        clock: by which state with a time to live ages; the machine's without one.
    """

    def __init__(self, key_group_of: Callable[[Any], int], clock: Clock | None = None) -> None:
        self._key_group_of = key_group_of
        self._clock = clock or SystemClock()
        self._cursor = Cursor()
        self._tables: dict[str, Table] = {}
        self._sweepers: dict[str, Sweeper] = {}
        self._timers = HeapTimers(self._cursor)

    # ------------------------------------------------------------------------------------------------ keys

    def set_current_key(self, key: Any) -> None:
        """Choose the key that states and timers work on."""
        cursor = self._cursor
        cursor.key = identity = state_key(key)
        cursor.bucket = hash(identity) & MASK

    def current_key(self) -> Any:
        """Return the key as the user gave it."""
        return original_key(self._cursor.key)

    def bind_keyed(self, process: Emit) -> Callable[[list[Any], list[int], list[Any]], None]:
        """Return the loop that sets each record's key and processes it."""
        cursor = self._cursor

        def run(values: list[Any], timestamps: list[int], keys: list[Any]) -> None:
            for value, timestamp, key in zip(values, timestamps, keys, strict=True):
                kind = type(key)
                cursor.key = identity = key if kind is str or kind is int else state_key(key)
                cursor.bucket = hash(identity) & MASK
                process(value, timestamp)

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
        if expires:
            return self._expiring(descriptor, table, namespace)
        if table.stamped is not False:
            from wiesel.state.heap.ttl import stamp_table

            stamp_table(table, None, descriptor)
        value = HeapValueState(table, self._cursor, locator(self._cursor, namespace))
        if isinstance(descriptor, ListStateDescriptor):
            return HeapListState(value)
        if isinstance(descriptor, MapStateDescriptor):
            return HeapMapState(value)
        return self._value_or_fold(descriptor, value)

    @staticmethod
    def _value_or_fold(descriptor: Any, value: HeapValueState) -> Any:
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
            entries = 0 if incremental is None else incremental.get_cleanup_size()
            sweeper = self._sweepers[descriptor.name] = ttl.Sweeper(table, lifetime, entries)
        ttl.stamp_table(table, lifetime, descriptor)
        table.survivor = lifetime.survivor if cleanup.in_full_snapshot() else None
        locate = locator(self._cursor, namespace)
        if isinstance(descriptor, ListStateDescriptor):
            return ttl.TtlListState(HeapValueState(table, self._cursor, locate), lifetime, sweeper)
        if isinstance(descriptor, MapStateDescriptor):
            return ttl.TtlMapState(HeapValueState(table, self._cursor, locate), lifetime, sweeper)
        return self._value_or_fold(descriptor, ttl.TtlValueState(table, self._cursor, locate, lifetime, sweeper))

    def internal_state(self, name: str, *, immutable: bool = False) -> HeapInternalState:
        """Return a namespaced state of the engine's own."""
        return HeapInternalState(self._table(name, immutable, namespaced=True), self._cursor)

    def _table(self, name: str, immutable: bool, namespaced: bool) -> Table:
        if name == _TIMERS:
            raise StateAccessError(f"{name!r} is the engine's own name; choose another for the state.")
        table = self._tables.get(name)
        if table is None:
            return self._tables.setdefault(name, Table(name, immutable, namespaced))
        if table.namespaced != namespaced:
            raise StateAccessError(f"State {name!r} is used both per window and over all windows; use two names.")
        table.immutable = immutable  # a restored table learns it when its state is registered
        return table

    def number_of_keys(self) -> int:
        """Return the number of state entries."""
        return sum(table.number_of_entries() for table in self._tables.values())

    # ----------------------------------------------------------------------------------------------- timers

    def timers(self) -> HeapTimers:
        """Return the operator's timers."""
        return self._timers

    def next_processing_time(self) -> int | None:
        """Return when the earliest processing-time timer is due."""
        return self._timers.processing.next_time()

    def pop_event_timers(self, watermark: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """Remove and return due event-time timers with their user keys."""
        return self._pop(self._timers.event, watermark, limit)

    def pop_processing_timers(self, now_ms: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """Remove and return due processing-time timers with their user keys."""
        return self._pop(self._timers.processing, now_ms, limit)

    @staticmethod
    def _pop(queue: TimerQueue, until: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        return [(timestamp, original_key(key), namespace) for timestamp, key, namespace in queue.pop_due(until, limit)]

    # ---------------------------------------------------------------------------------------------- snapshots

    def snapshot(self) -> HeapSnapshot:
        """Begin a snapshot of everything that is true now."""
        tables = list(self._tables.values())
        for table in tables:
            table.begin_snapshot()
        return HeapSnapshot(tables, self._timers.snapshot())

    def restore(self, pieces: Iterable[bytes], key_groups: range | None) -> None:
        """Load one snapshot; with ``key_groups`` only the keys of those groups (another parallelism)."""
        wanted = None if key_groups is None else self._membership(key_groups)
        for piece in pieces:
            name, *rest = pickle.loads(piece)
            if name == _TIMERS:
                for domain, timestamp, key, namespace in rest[0]:
                    if wanted is None or wanted(key):
                        self._timers.restore(domain, timestamp, key, namespace)
                continue
            namespaced, keys, values = rest
            table = self._table(name, immutable=False, namespaced=namespaced)
            table.stamped = None
            shards = table.shards
            for key, value in zip(keys, values, strict=True):
                plain = key[0] if namespaced else key
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

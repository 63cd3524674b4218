"""State that expires (Flink: "State Time-To-Live"): a stamp beside each value, looked at when the value is.

Value, reducing and aggregating states have one stamp a key, lists one an element, maps one an entry. What has expired
goes when it is met: on access, a few entries with each access to the state (``cleanup_incrementally``), and on the way
into a snapshot (``cleanup_full_snapshot``). States without a time to live pass through none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from wiesel.core.state import ListStateDescriptor, MapStateDescriptor
from wiesel.core.state_ttl import StateTtlConfig, StateVisibility, UpdateType
from wiesel.core.time import to_millis
from wiesel.state.heap.states import HeapMapState, HeapValueState
from wiesel.state.heap.table import MASK, Cursor, Table

#: Shards that one access looks into for entries to clean up: most are empty in a small table.
_SHARDS_PER_ACCESS: Final = 16
#: Accesses that look together: to begin costs more than to look at an entry.
_ACCESSES_AT_ONCE: Final = 16


class Stamped(NamedTuple):
    """A value and when its life began, in milliseconds of processing time."""

    value: Any
    at: int


class Lifetime:
    """What a ``StateTtlConfig`` says, ready to be asked.

    Args:
        config: the configuration; enabled.
        now: the clock, in milliseconds.
    """

    def __init__(self, config: StateTtlConfig, now: Callable[[], int]) -> None:
        self.now = now
        self.renewed_by_reading = config.get_update_type() is UpdateType.OnReadAndWrite
        self.shows_expired = config.get_state_visibility() is StateVisibility.ReturnExpiredIfNotCleanedUp
        #: In milliseconds.
        self.length = to_millis(config.get_ttl())

    def is_over(self, stamped: Stamped) -> bool:
        """Whether the value has expired."""
        return stamped.at + self.length <= self.now()

    def stamp(self, value: Any) -> Stamped:
        """Return the value with its life beginning now."""
        return Stamped(value, self.now())

    def survivor(self, stored: Any) -> Any:
        """Return what is left of a table's value: all of it, the living part of a list or map, or None."""
        if isinstance(stored, Stamped):
            return None if self.is_over(stored) else stored
        if isinstance(stored, list):
            kept: Any = [element for element in stored if not self.is_over(element)]
        elif isinstance(stored, dict):
            kept = {key: entry for key, entry in stored.items() if not self.is_over(entry)}
        else:
            return stored  # as it was at a barrier, already encoded
        return stored if len(kept) == len(stored) else kept or None


class Rounds:
    """When to go through all entries again: half a lifetime after the last time, since what is met then lives on.

    Args:
        lifetime: of the entries.
    """

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._began: int | None = None
        self._is_resting = False

    def goes_on(self) -> bool:
        """Whether there is something to look at now, in this round or a new one."""
        now = self._lifetime.now()
        if self._began is None:
            self._began = now
        elif self._is_resting:
            # A clock that was turned back ends the rest too: nobody knows how long it would be.
            if self._began <= now < self._began + self._lifetime.length / 2:
                return False
            self._began, self._is_resting = now, False
        return True

    def end(self) -> None:
        """All entries have been looked at."""
        self._is_resting = True


class Sweeper:
    """Looks at a few entries of a table for each access to it, round and round.

    Args:
        table: the table.
        lifetime: when its entries are over.
        entries: how many to look at each time; 0 for none.
    """

    def __init__(self, table: Table, lifetime: Lifetime, entries: int) -> None:
        self._table = table
        self._lifetime = lifetime
        self._entries = entries
        self._rounds = Rounds(lifetime)
        self._due = 0
        self._bucket = -1
        self._keys: list[Any] = []

    def sweep(self, times: int = 1) -> None:
        """Count ``times`` accesses; with some of them what has expired among the next entries is removed."""
        self._due += times
        if self._due >= _ACCESSES_AT_ONCE:
            due, self._due = self._due, 0
            if self._entries and self._rounds.goes_on():
                self._look_at_next(self._entries * due, _SHARDS_PER_ACCESS * due)

    def _look_at_next(self, entries: int, shards: int) -> None:
        over = self._lifetime.now() - self._lifetime.length
        while entries:
            while not self._keys:
                if not shards:
                    return
                shards -= 1
                self._bucket += 1
                if self._bucket > MASK:
                    self._bucket = -1
                    self._rounds.end()
                    return
                self._keys = list(self._table.shards[self._bucket])
            keys, self._keys = self._keys[-entries:], self._keys[:-entries]
            entries -= len(keys)
            shard = self._table.shards[self._bucket]
            for key in keys:
                stored = shard.get(key)
                if type(stored) is not Stamped or stored.at <= over:
                    self._look_at(key, stored)

    def _look_at(self, key: Any, stored: Any) -> None:
        if stored is None:
            return
        kept = self._lifetime.survivor(stored)
        if kept is stored:
            return
        table, shard = self._table, self._table.shards[self._bucket]
        if table.pre_images is not None:
            table.touch(self._bucket, key)
        if kept is None:
            del shard[key]
        else:
            shard[key] = kept


class TtlValueState(HeapValueState):
    """A value state whose value expires; reducing and aggregating states stand on it as well."""

    __slots__ = ()

    def __init__(
        self, table: Table, cursor: Cursor, locate: Callable[[], Any] | None, lifetime: Lifetime, sweeper: Sweeper
    ) -> None:
        super().__init__(table, cursor, locate)
        read, write, clear = self.value, self.update, self.clear

        def value() -> Any:
            sweeper.sweep()
            stamped = read()
            if stamped is None:
                return None
            if lifetime.is_over(stamped):
                clear()
                return stamped.value if lifetime.shows_expired else None
            if lifetime.renewed_by_reading:
                write(lifetime.stamp(stamped.value))
            return stamped.value

        def update(new: Any) -> None:
            sweeper.sweep()
            write(None if new is None else lifetime.stamp(new))

        self.value, self.update = value, update


class TtlListState:
    """``ListState`` whose elements expire one by one."""

    __slots__ = ("_lifetime", "_state", "_sweeper")

    def __init__(self, state: HeapValueState, lifetime: Lifetime, sweeper: Sweeper) -> None:
        self._state = state
        self._lifetime = lifetime
        self._sweeper = sweeper

    def get(self) -> Iterable[Any]:
        """Return an iterable over the elements; empty when there are none."""
        self._sweeper.sweep()
        lifetime = self._lifetime
        stored = self._state.value() or []
        kept = lifetime.survivor(stored) or []
        if kept and lifetime.renewed_by_reading:
            self._state.update([lifetime.stamp(element.value) for element in kept])
        elif kept is not stored:
            self._state.update(kept or None)
        return iter([element.value for element in (stored if lifetime.shows_expired else kept)])

    def add(self, value: Any) -> None:
        """Append one element."""
        self.add_all([value])

    def add_all(self, values: list[Any]) -> None:
        """Append several elements."""
        self._sweeper.sweep()
        stamped = [self._lifetime.stamp(value) for value in values]
        elements = self._state.value()
        if elements is not None:
            elements.extend(stamped)
        elif stamped:
            self._state.update(stamped)

    def update(self, values: list[Any]) -> None:
        """Replace all elements."""
        self._sweeper.sweep()
        self._state.update([self._lifetime.stamp(value) for value in values] or None)

    def clear(self) -> None:
        """Remove all elements."""
        self._state.clear()


class TtlMapState(HeapMapState):
    """``MapState`` whose entries expire one by one."""

    __slots__ = ("_lifetime", "_sweeper")

    def __init__(self, state: HeapValueState, lifetime: Lifetime, sweeper: Sweeper) -> None:
        super().__init__(state)
        self._lifetime = lifetime
        self._sweeper = sweeper

    def _entries(self) -> dict[Any, Any]:
        """Return the entries that may be seen, all of them read."""
        self._sweeper.sweep()
        lifetime = self._lifetime
        stored = self._state.value() or {}
        kept = lifetime.survivor(stored) or {}
        seen = stored if lifetime.shows_expired else kept
        plain = {key: entry.value for key, entry in seen.items()}
        if kept and lifetime.renewed_by_reading:
            self._state.update({key: lifetime.stamp(entry.value) for key, entry in kept.items()})
        elif kept is not stored:
            self._state.update(kept or None)
        return plain

    def _entry(self, key: Any) -> Stamped | None:
        """Return one entry that may be seen; an expired one is removed."""
        self._sweeper.sweep()
        entries = self._state.value()
        entry: Stamped | None = None if entries is None else entries.get(key)
        if entry is None:
            return None
        if self._lifetime.is_over(entry):
            super().remove(key)
            return entry if self._lifetime.shows_expired else None
        if self._lifetime.renewed_by_reading:
            entries[key] = self._lifetime.stamp(entry.value)
        return entry

    def get(self, key: Any) -> Any:
        """Return the value of ``key``, or None."""
        entry = self._entry(key)
        return None if entry is None else entry.value

    def contains(self, key: Any) -> bool:
        """Whether ``key`` has an entry; asking is reading."""
        return self._entry(key) is not None

    def put(self, key: Any, value: Any) -> None:
        """Set one entry."""
        self._sweeper.sweep()
        super().put(key, self._lifetime.stamp(value))

    __getitem__ = get
    __setitem__ = put
    __contains__ = contains

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())


def stamp_table(table: Table, lifetime: Lifetime | None, descriptor: Any) -> None:
    """Bring a restored table to what its state is declared as now; it may have been saved otherwise.

    Values that had no time to live begin their life now; those that had one, and have none any more, live on.
    """
    wanted = lifetime is not None
    stamped = is_stamped(table, unless_empty=wanted)
    table.stamped = wanted
    if stamped is wanted:
        return
    change = _unwrap if lifetime is None else lifetime.stamp
    if isinstance(descriptor, ListStateDescriptor):
        table.replace_all(lambda elements: [change(element) for element in elements])
    elif isinstance(descriptor, MapStateDescriptor):
        table.replace_all(lambda entries: {name: change(entry) for name, entry in entries.items()})
    else:
        table.replace_all(change)


def is_stamped(table: Table, unless_empty: bool = False) -> bool:
    """Whether a table's values have a time to live; ``unless_empty`` is the answer for a restored one without any."""
    if table.stamped is not None:
        return table.stamped
    first = next((value for shard in table.shards for value in shard.values()), None)
    return unless_empty if first is None else is_stamped_value(first)


def _unwrap(stamped: Stamped) -> Any:
    return stamped.value


def is_stamped_value(stored: Any) -> bool:
    """Whether what a table holds for a key has a time to live."""
    if isinstance(stored, list | dict) and stored:
        stored = next(iter(stored.values() if isinstance(stored, dict) else stored))
    return isinstance(stored, Stamped)

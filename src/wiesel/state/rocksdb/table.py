"""One named state in a database, under a cache: to the states it looks like the heap's table of dictionaries.

Values that were handed out may be changed in place, so all of them count as changed, unless they cannot. What has
changed is written between batches, never while a record is processed: its function may still hold the value.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from wiesel.core.isolation import ATOMS
from wiesel.core.state_schema import Conversion
from wiesel.state.heap.table import SHARDS, Table
from wiesel.state.heap.ttl import is_stamped_value
from wiesel.state.rocksdb.database import Database, in_batches
from wiesel.state.rocksdb.encoding import key_encoder, table_prefix

#: Changes that are gathered before they are written, by number and by bytes, which are guessed from the last ones.
_FIRST_CHANGES: Final = 64
_MOST_CHANGES: Final = 4000
_CHANGED_BYTES: Final = 1 << 20


class Store:
    """The entries of a table, as far as the states use a dictionary.

    Args:
        database: what holds them.
        encode: key in the table to key in the database.
        table: tells whether values can change in place.
    """

    __slots__ = ("_cache", "_database", "_encode", "_most_changes", "_table", "changed", "loaded")

    def __init__(self, database: Database, encode: Callable[[Any], bytes], table: Table) -> None:
        self._database = database
        self._encode = encode
        self._table = table
        self._cache: dict[Any, Any] = {}
        self.changed: dict[Any, None] = {}
        #: Bytes that the values in the cache took up in the database.
        self.loaded = 0
        self._most_changes = _FIRST_CHANGES

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a value, or ``default``."""
        cache = self._cache
        value = cache[key] if key in cache else self._load(key)
        if value is None:
            return default
        if not self._table.immutable and type(value) not in ATOMS:
            self.changed[key] = None
        return value

    def _load(self, key: Any) -> Any:
        raw = self._database.get(self._encode(key))
        value = None if raw is None else pickle.loads(raw)
        self.loaded += 64 if raw is None else len(raw)
        self._cache[key] = value
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self._cache[key] = value
        self.changed[key] = None

    def pop(self, key: Any, default: None) -> None:
        """Remove a value; it is not read for that."""
        self[key] = None

    def values(self) -> Iterator[Any]:
        """Yield the values in the database."""
        return (pickle.loads(raw) for _, raw in self._database.entries(self.prefix))

    @property
    def prefix(self) -> bytes:
        """What the table's keys begin with in the database."""
        return cast("RocksDBTable", self._table).prefix

    def is_full(self) -> bool:
        """Whether enough has changed to be written."""
        return len(self.changed) >= self._most_changes

    def waiting_bytes(self) -> int:
        """Return about how many bytes have changed."""
        return len(self.changed) * _CHANGED_BYTES // self._most_changes

    def flush(self) -> None:
        """Write what has changed."""
        if self.changed:
            cache, encode = self._cache, self._encode
            changes, before = [], self.loaded
            for key in self.changed:
                value = cache[key]
                raw = None if value is None else pickle.dumps(value, protocol=5)
                self.loaded += 64 if raw is None else len(raw)
                changes.append((encode(key), raw))
            self._database.write(changes)
            self.changed.clear()
            self._most_changes = min(_MOST_CHANGES, 1 + _CHANGED_BYTES * len(changes) // (self.loaded - before))

    def forget(self) -> None:
        """Empty the cache, of which everything is written."""
        assert not self.changed, "flush() comes first"
        self._cache.clear()
        self.loaded = 0

    def clear(self) -> None:
        """Empty the cache, whatever is in it; the database is removed as a whole."""
        self.changed.clear()
        self._cache.clear()


class RocksDBTable(Table):
    """A table whose one shard is a store.

    Args:
        name: the state's name.
        immutable: values are never changed in place.
        namespaced: an entry's key is a pair of the key and a namespace (a window), not the key alone.
        table_id: its number in the database.
        database: what holds the entries.
        key_group_of: key group of a user key.
        before_rewriting: called before all entries are written anew, at a time that the table chooses.
    """

    __slots__ = ("_before_rewriting", "_database", "prefix", "store", "table_id")

    def __init__(
        self,
        name: str,
        immutable: bool,
        namespaced: bool,
        table_id: int,
        database: Database,
        key_group_of: Callable[[Any], int],
        before_rewriting: Callable[[], None],
    ) -> None:
        super().__init__(name, immutable, namespaced)
        self._before_rewriting = before_rewriting
        self.table_id = table_id
        self.prefix = table_prefix(table_id)
        self._database = database
        self.store = Store(database, key_encoder(table_id, key_group_of, namespaced), self)
        self.shards = [cast("dict[Any, Any]", self.store)] * SHARDS

    def replace_all(self, change: Callable[[Any], Any]) -> None:
        """Put ``change(value)`` in the place of every value; a snapshot under way keeps what it began with."""
        self._before_rewriting()
        self.store.flush()
        self.store.forget()
        changed = ((key, _dump(change(pickle.loads(raw)))) for key, raw in self._database.entries(self.prefix))
        for batch in in_batches(changed):
            self._database.write(batch)

    def remove_where(self, is_over: Callable[[Any], Any], start: bytes, count: int) -> bytes:
        """Look at ``count`` entries from ``start`` on and let go what is over; return where to look next.

        Args:
            is_over: what is left of a value: itself, less, or None.
            start: a key in the database, or b"" for the first.
            count: how many entries to look at.
        """
        changes: list[tuple[bytes, bytes | None]] = []
        for looked_at, (key, raw) in enumerate(self._database.entries(self.prefix, start)):
            if looked_at == count:
                break
            value = pickle.loads(raw)
            left = is_over(value)
            if left is not value:
                changes.append((key, None if left is None else _dump(left)))
        else:
            key = b""
        if changes:
            self._database.write(changes)
        return key

    def number_of_entries(self) -> int:
        """Return how many entries are in the database; reads all of them."""
        return sum(1 for _ in self._database.entries(self.prefix))


def converted(raw: bytes, change: Conversion) -> bytes:
    """Return a stored value that has gone through a change of its type."""
    value = pickle.loads(raw)
    return _dump(change.of_stored(is_stamped_value(value))(value))


def _dump(value: Any) -> bytes:
    return pickle.dumps(value, protocol=5)

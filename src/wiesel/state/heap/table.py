"""One named state of all keys: dictionaries in shards, and a snapshot that neither stops the stream nor sees past it.

At a barrier a log of pre-images is opened: before a key that is not yet written out is first touched, its old value is
kept aside. The shards are then written between batches, each with its kept values substituted. A shard's bucket comes
from Python's own ``hash``: it is free, and restoring puts every key into its bucket anew, so it need not be stable
across processes (unlike the key group, which is).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wiesel.core.state_schema import StateSchema

SHARDS: Final = 1024
MASK: Final = SHARDS - 1
#: Entries encoded in the first slice and in one at most, and the bytes that it is to come to: about two milliseconds.
FIRST_SLICE_ENTRIES: Final = 32
SLICE_ENTRIES: Final = 2048
SLICE_BYTES: Final = 128 * 1024
#: Values of a state, in each subtask, that are held to its type before that is believed.
CHECKED_UPDATES: Final = 100

#: Types whose values cannot change in place, so that a reference to one is as good as a copy.
_ATOMS: Final = frozenset({int, float, str, bytes, bool, type(None), complex})


class _Missing:
    """Marks a key that had no value at the barrier."""


_MISSING: Final = _Missing()


class Cursor:
    """The current key of a backend, as state knows it (``core.state_key``), and its bucket."""

    __slots__ = ("bucket", "key")

    def __init__(self) -> None:
        self.key: Any = None
        self.bucket = 0


class Table:
    """The values of one state by key, in shards.

    Args:
        name: the state's name.
        immutable: values are never changed in place, so reading one needs no copy while a snapshot runs.
        namespaced: an entry's key is a pair of the key and a namespace (a window), not the key alone.

    ``stamped`` says whether its values have a time to live (``ttl.py``), None of a restored table; ``survivor`` returns
    what of a value goes into snapshots, where that is not all of it. ``schema`` says what the values are, None where
    nobody has said so; ``claimed`` is false of a restored table that the program has not asked for; ``checks_left`` is
    how many values are still held to their type.
    """

    __slots__ = (
        "checks_left",
        "claimed",
        "immutable",
        "name",
        "namespaced",
        "pre_images",
        "schema",
        "shards",
        "stamped",
        "survivor",
    )

    def __init__(self, name: str, immutable: bool, namespaced: bool) -> None:
        self.name = name
        self.namespaced = namespaced
        self.immutable = immutable
        self.shards: list[dict[Any, Any]] = [{} for _ in range(SHARDS)]
        self.pre_images: list[dict[Any, Any] | None] | None = None
        self.stamped: bool | None = False
        self.survivor: Callable[[Any], Any] | None = None
        self.schema: StateSchema | None = None
        self.claimed = True
        self.checks_left = CHECKED_UPDATES

    def touch(self, bucket: int, key: Any) -> None:
        """Keep the value that ``key`` had at the barrier, unless its shard is already written.

        Only called while ``pre_images`` is not None.
        """
        assert self.pre_images is not None
        kept = self.pre_images[bucket]
        if kept is not None and key not in kept:
            old = self.shards[bucket].get(key, _MISSING)
            kept[key] = old if self.immutable or old is _MISSING or type(old) in _ATOMS else _Frozen(old)

    def replace_all(self, change: Callable[[Any], Any]) -> None:
        """Put ``change(value)`` in the place of every value; a snapshot under way keeps what it began with."""
        for bucket, shard in enumerate(self.shards):
            for key, value in shard.items():
                if self.pre_images is not None:
                    self.touch(bucket, key)
                shard[key] = change(value)

    def begin_snapshot(self) -> None:
        """Open the log of pre-images: what is true now is what the snapshot will hold."""
        self.pre_images = [{} for _ in range(SHARDS)]

    def snapshot_slices(self) -> Iterator[bytes]:
        """Write all shards, a slice at a time."""
        shards, pre_images = self.shards, self.pre_images
        assert pre_images is not None, "begin_snapshot() comes first"
        keys: list[Any] = []
        values: list[Any] = []
        limit = min(FIRST_SLICE_ENTRIES, SLICE_ENTRIES)
        for bucket in range(SHARDS):
            if not shards[bucket] and not pre_images[bucket]:
                # Most shards of a small state are empty, and looking into each would be most of the work.
                pre_images[bucket] = None
                continue
            for part_keys, part_values in self._shard_parts(bucket, limit):
                if self.survivor is not None:
                    part_values[:] = map(self.survivor, part_values)
                    part_keys[:] = [k for k, v in zip(part_keys, part_values, strict=True) if v is not None]
                    part_values[:] = [value for value in part_values if value is not None]
                keys += part_keys
                values += part_values
                if len(keys) >= limit:
                    piece = pickle.dumps((self.name, keys, values), protocol=5)
                    # Large values make slices of fewer entries, so that a step stays short.
                    limit = min(SLICE_ENTRIES, 4 * limit, max(1, len(keys) * SLICE_BYTES // len(piece)))
                    yield piece
                    keys, values = [], []
            pre_images[bucket] = None
        self.pre_images = None
        if keys:
            yield pickle.dumps((self.name, keys, values), protocol=5)

    def _shard_parts(self, bucket: int, limit: int) -> Iterator[tuple[list[Any], list[Any]]]:
        # The shard's keys and values are listed first: the stream may change the dictionary between two parts, and
        # what it changes is in the pre-images by then. The list holds references only.
        assert self.pre_images is not None
        shard = self.shards[bucket]
        kept = self.pre_images[bucket]
        assert kept is not None
        # A key removed since the barrier is only in the pre-images.
        pairs = chain(list(shard.items()), [(k, None) for k in kept if k not in shard])
        while part := list(islice(pairs, limit)):
            keys: list[Any] = []
            values: list[Any] = []
            for key, value in part:
                old = kept.get(key, kept)
                if old is kept:
                    keys.append(key)
                    values.append(value)
                elif old is not _MISSING:
                    keys.append(key)
                    values.append(old)
            yield keys, values

    def number_of_entries(self) -> int:
        """Return how many keys have a value."""
        return sum(map(len, self.shards))


class _Frozen:
    """A mutable value as it was at the barrier: pickled then, and standing for itself in the snapshot."""

    __slots__ = ("payload",)

    def __init__(self, value: Any) -> None:
        self.payload = pickle.dumps(value, protocol=5)

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return pickle.loads, (self.payload,)

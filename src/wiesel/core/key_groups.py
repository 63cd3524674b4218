"""Which subtask owns a key: Flink's key groups (``KeyGroupRangeAssignment``), bit for bit.

A key is hashed as Java hashes the one-field ``Row`` that PyFlink wraps it in, the hash is scrambled, and the rest of
the division by the maximum parallelism is the key group. Groups, never keys, are moved between subtasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wiesel.core.errors import ConfigurationError
from wiesel.core.java_hash import MASK
from wiesel.core.types import BasicType, BasicTypeInfo, PickledBytesTypeInfo, TypeInformation

#: Default for small jobs, and Flink's ``KeyGroupRangeAssignment.DEFAULT_LOWER_BOUND_MAX_PARALLELISM``.
DEFAULT_MAX_PARALLELISM: Final = 1 << 7
#: The most key groups there can be.
UPPER_BOUND_MAX_PARALLELISM: Final = 1 << 15

_CACHE_SIZE = 1 << 16
_PLAIN = frozenset({str, int, bytes, type(None)})

_EXACT_KINDS: Final[dict[BasicType, tuple[type, ...]]] = {
    BasicType.STRING: (str,),
    **dict.fromkeys((BasicType.INT, BasicType.LONG, BasicType.SHORT, BasicType.BYTE), (int,)),
}

KeyGroupFunction = Callable[[Any], int]


def murmur(code: int) -> int:
    """Return ``MathUtils.murmurHash`` of a 32-bit number: scrambled, and never negative."""
    code = code * 0xCC9E2D51 & MASK
    code = (code << 15 | code >> 17) & MASK
    code = code * 0x1B873593 & MASK
    code = (code << 13 | code >> 19) & MASK
    code = code * 5 + 0xE6546B64 & MASK
    code ^= 4
    code ^= code >> 16
    code = code * 0x85EBCA6B & MASK
    code ^= code >> 13
    code = code * 0xC2B2AE35 & MASK
    code ^= code >> 16
    if code < 0x80000000:
        return code
    return 0x100000000 - code if code > 0x80000000 else 0


def key_hash(key: Any, key_type: TypeInformation) -> int:
    """Return the hash of the one-field row around a key that ``key_type`` has coerced; a key may be None."""
    return 31 + key_type.deep_hash(key) & MASK


def key_group(key: Any, key_type: TypeInformation, max_parallelism: int) -> int:
    """Return the key group of a key, from 0 to ``max_parallelism`` - 1; the key is coerced first."""
    if key is not None:
        key = key_type.coerce(key)
    return murmur(key_hash(key, key_type)) % max_parallelism


def subtask_of(group: int, max_parallelism: int, parallelism: int) -> int:
    """Return the index of the subtask that owns a key group."""
    return group * parallelism // max_parallelism


def key_group_range(subtask: int, max_parallelism: int, parallelism: int) -> range:
    """Return the key groups that a subtask owns."""
    start = (subtask * max_parallelism + parallelism - 1) // parallelism
    end = ((subtask + 1) * max_parallelism - 1) // parallelism
    return range(start, end + 1)


def default_max_parallelism(parallelism: int) -> int:
    """Return Flink's default: 1.5 times the parallelism, up to the next power of two, between 128 and 32768."""
    wanted = parallelism + parallelism // 2
    power = 1 << max(wanted - 1, 0).bit_length()
    return min(max(power, DEFAULT_MAX_PARALLELISM), UPPER_BOUND_MAX_PARALLELISM)


def check_max_parallelism(max_parallelism: int, parallelism: int) -> int:
    """Return ``max_parallelism`` when it is one, and enough for ``parallelism``.

    Raises:
        ConfigurationError: it is out of range or smaller than the parallelism.
    """
    if not 0 < max_parallelism <= UPPER_BOUND_MAX_PARALLELISM:
        raise ConfigurationError(
            f"pipeline.max-parallelism is {max_parallelism}; it must be from 1 to {UPPER_BOUND_MAX_PARALLELISM}"
        )
    if parallelism > max_parallelism:
        raise ConfigurationError(
            f"parallelism {parallelism} is more than the maximum parallelism {max_parallelism}: lower it, or raise "
            "pipeline.max-parallelism (for a job with state that means a new history)"
        )
    return max_parallelism


class _Numbers(dict[Any, int]):
    """Remembers a number of each key of one type; forgets all when full, which costs less than keeping an order."""

    def __init__(self, compute: KeyGroupFunction) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: Any) -> int:
        if len(self) >= _CACHE_SIZE:
            self.clear()
        number = self[key] = self._compute(key)
        return number


def key_group_function(key_type: TypeInformation, max_parallelism: int) -> KeyGroupFunction:
    """Return the function from a key to its key group, which remembers groups: the hash costs microseconds."""

    def compute(key: Any) -> int:
        return key_group(key, key_type, max_parallelism)

    return _remembering(compute, _tables(key_type, compute))


def subtasks_function(
    key_type: TypeInformation, max_parallelism: int, parallelism: int
) -> Callable[[list[Any]], list[int]]:
    """Return the function from the keys of a batch to the subtasks that own them; it remembers them too."""
    owner = [subtask_of(group, max_parallelism, parallelism) for group in range(max_parallelism)]

    def compute(key: Any) -> int:
        return owner[key_group(key, key_type, max_parallelism)]

    tables = _tables(key_type, compute)
    one = _remembering(compute, tables)

    def subtasks_of(keys: list[Any]) -> list[int]:
        kinds = set(map(type, keys))
        table = tables.get(kinds.pop()) if len(kinds) == 1 else None
        # One type, as nearly always: no call of a Python function per key.
        return list(map(one if table is None else table.__getitem__, keys))

    return subtasks_of


def _tables(key_type: TypeInformation, compute: KeyGroupFunction) -> dict[type, _Numbers]:
    """Return a table per type of key: keys that Python holds equal but Flink tells apart (1, True, 1.0) never meet."""
    kinds: tuple[type, ...] = ()
    if isinstance(key_type, PickledBytesTypeInfo):
        kinds = (str, int)
    elif isinstance(key_type, BasicTypeInfo):
        kinds = _EXACT_KINDS.get(key_type.basic_type, ())
    return {kind: _Numbers(compute) for kind in kinds}


def _remembering(compute: KeyGroupFunction, tables: dict[type, _Numbers]) -> KeyGroupFunction:
    tuples, are_plain = _Numbers(compute), _PLAIN.issuperset
    untyped = len(tables) > 1

    def number_of(key: Any) -> int:
        kind = type(key)
        table = tables.get(kind)
        if table is not None:
            return table[key]
        if untyped and kind is tuple and are_plain(map(type, key)):
            return tuples[key]
        return compute(key)

    return number_of

"""State backends behind one contract (``core.contracts.KeyedStateBackend``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Clock, KeyedStateBackend
from wiesel.core.options import catalog, value_of
from wiesel.core.types import TypeInformation

#: Directory in a job directory for state on disk; what is in it when a job starts is of no use any more.
WORKING_STATE: Final = "_rocksdb"


def create_keyed_backend(
    configuration: Configuration,
    key_group_of: Callable[[Any], int],
    clock: Clock,
    operator: str,
    key_type: TypeInformation | None,
    place: Callable[[], Path],
) -> KeyedStateBackend:
    """Return an empty backend of the kind that ``state.backend.type`` says.

    Args:
        configuration: the job's.
        key_group_of: key group of a user key.
        clock: by which state with a time to live ages.
        operator: whose state it is, for messages.
        key_type: of the keys; None is unknown.
        place: returns a directory for state on disk, which does not exist yet.
    """
    if value_of(configuration, catalog.STATE_BACKEND) == "hashmap":
        from wiesel.state.heap.backend import HeapKeyedStateBackend

        return HeapKeyedStateBackend(key_group_of, clock, operator, key_type)
    from wiesel.state.rocksdb.backend import RocksDBKeyedStateBackend

    return RocksDBKeyedStateBackend(
        key_group_of,
        place(),
        clock,
        operator,
        key_type,
        memory=value_of(configuration, catalog.ROCKSDB_CACHE),
        write_buffer=value_of(configuration, catalog.ROCKSDB_WRITE_BUFFER),
    )

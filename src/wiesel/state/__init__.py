"""State backends behind one contract (``core.contracts.KeyedStateBackend``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.contracts import Clock, KeyedStateBackend
from wiesel.core.errors import ConfigurationError
from wiesel.core.types import TypeInformation


def create_keyed_backend(
    backend_type: str,
    key_group_of: Callable[[Any], int],
    clock: Clock,
    operator: str = "the operator",
    key_type: TypeInformation | None = None,
) -> KeyedStateBackend:
    """Return an empty backend.

    Args:
        backend_type: value of ``state.backend.type``: ``hashmap`` (Flink's name for heap state).
        key_group_of: key group of a user key; consulted only when a snapshot is split for another parallelism.
        clock: by which state with a time to live ages.
        operator: whose state it is, for messages.
        key_type: of the keys; None is unknown.
    """
    if backend_type in ("hashmap", "heap", "jobmanager", "filesystem"):
        from wiesel.state.heap.backend import HeapKeyedStateBackend

        return HeapKeyedStateBackend(key_group_of, clock, operator, key_type)
    raise ConfigurationError(
        f"state.backend.type: {backend_type!r} is not available; use 'hashmap' (heap state), the default."
    )

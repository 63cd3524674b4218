"""Keyed and broadcast state as user functions name it: descriptors and the handles they are exchanged for.

Mirrors ``pyflink.datastream.state``. The handles are contracts; a state backend supplies them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from wiesel.core.arguments import expect_type
from wiesel.core.state_ttl import StateTtlConfig
from wiesel.core.types import TypeInformation, Types

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
IN_contra = TypeVar("IN_contra", contravariant=True)
OUT_co = TypeVar("OUT_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)

__all__ = [
    "AggregatingState",
    "AggregatingStateDescriptor",
    "BroadcastState",
    "ListState",
    "ListStateDescriptor",
    "MapState",
    "MapStateDescriptor",
    "OperatorStateStore",
    "ReadOnlyBroadcastState",
    "ReducingState",
    "ReducingStateDescriptor",
    "State",
    "StateDescriptor",
    "StateTtlConfig",
    "ValueState",
    "ValueStateDescriptor",
]


class State(Protocol):
    """State of the current key."""

    def clear(self) -> None:
        """Remove the state of the current key."""


class ValueState(State, Protocol[T]):
    """One value a key."""

    def value(self) -> T:
        """Return the value of the current key, or None when there is none."""

    def update(self, value: T) -> None:
        """Replace the value of the current key; None clears it."""


class AppendingState(State, Protocol[IN_contra, OUT_co]):
    """State that grows by ``add``."""

    def get(self) -> OUT_co:
        """Return what was added so far, folded; None when nothing was."""

    def add(self, value: IN_contra) -> None:
        """Add one value to the current key's state."""


class ListState(Protocol[T]):
    """A list a key."""

    def get(self) -> Iterable[T]:
        """Return the elements in the order they were added; an empty iterable when there are none."""

    def add(self, value: T) -> None:
        """Append one element."""

    def add_all(self, values: list[T]) -> None:
        """Append several elements."""

    def update(self, values: list[T]) -> None:
        """Replace all elements."""

    def clear(self) -> None:
        """Remove all elements of the current key."""


class ReducingState(AppendingState[T, T], Protocol[T]):
    """One value a key, folded by a ``ReduceFunction``."""


class AggregatingState(AppendingState[IN_contra, OUT_co], Protocol[IN_contra, OUT_co]):
    """One accumulator a key, folded by an ``AggregateFunction``."""


class ReadOnlyBroadcastState(Protocol[K, V_co]):
    """Broadcast state as the non-broadcast side sees it."""

    def get(self, key: K) -> V_co | None:
        """Return the value of ``key``, or None."""

    def contains(self, key: K) -> bool:
        """Whether ``key`` is there."""

    def items(self) -> Iterable[tuple[K, V_co]]:
        """Return all pairs."""

    def keys(self) -> Iterable[K]:
        """Return all keys."""

    def values(self) -> Iterable[V_co]:
        """Return all values."""

    def is_empty(self) -> bool:
        """Whether nothing is there."""

    def clear(self) -> None:
        """Remove everything (only where writing is allowed)."""


class MapState(Protocol[K, V]):
    """A map a key."""

    def get(self, key: K) -> V | None:
        """Return the value of ``key``, or None when missing."""

    def put(self, key: K, value: V) -> None:
        """Set one entry."""

    def put_all(self, dict_value: dict[K, V]) -> None:
        """Set several entries."""

    def remove(self, key: K) -> None:
        """Remove one entry; nothing happens when it is missing."""

    def contains(self, key: K) -> bool:
        """Whether ``key`` has an entry."""

    def items(self) -> Iterable[tuple[K, V]]:
        """Return all entries of the current key's map."""

    def keys(self) -> Iterable[K]:
        """Return the map's keys."""

    def values(self) -> Iterable[V]:
        """Return the map's values."""

    def is_empty(self) -> bool:
        """Whether the current key's map has no entry."""

    def clear(self) -> None:
        """Remove the current key's map."""

    def __getitem__(self, key: K) -> V | None: ...
    def __setitem__(self, key: K, value: V) -> None: ...
    def __delitem__(self, key: K) -> None: ...
    def __contains__(self, key: K) -> bool: ...
    def __iter__(self) -> Iterator[K]: ...


class BroadcastState(ReadOnlyBroadcastState[K, V], Protocol[K, V]):
    """Broadcast state as the broadcast side sees it."""

    def put(self, key: K, value: V) -> None:
        """Set one entry."""

    def put_all(self, dict_value: dict[K, V]) -> None:
        """Set several entries."""

    def remove(self, key: K) -> None:
        """Remove one entry."""


class OperatorStateStore(Protocol):
    """Access to the broadcast state of an operator."""

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor[Any, Any]) -> BroadcastState[Any, Any]:
        """Return the broadcast state that ``state_descriptor`` names."""


class StateDescriptor(Generic[T]):
    """Name and type of a state (Flink: ``StateDescriptor``); names are unique within an operator."""

    def __init__(self, name: str, type_info: TypeInformation) -> None:
        expect_type(type_info, type(self).__name__)
        self.name = name
        self.type_info = type_info
        self.ttl_config: StateTtlConfig | None = None

    def get_name(self) -> str:
        """Return the state's name."""
        return self.name

    def enable_time_to_live(self, ttl_config: StateTtlConfig) -> None:
        """Let entries expire as ``ttl_config`` says."""
        self.ttl_config = ttl_config


class ValueStateDescriptor(StateDescriptor[T]):
    """Describes a ``ValueState``."""

    def __init__(self, name: str, value_type_info: TypeInformation) -> None:
        super().__init__(name, value_type_info)


class ListStateDescriptor(StateDescriptor[T]):
    """Describes a ``ListState``."""

    def __init__(self, name: str, elem_type_info: TypeInformation) -> None:
        super().__init__(name, Types.LIST(elem_type_info))
        self.element_type_info = elem_type_info


class MapStateDescriptor(StateDescriptor[dict[K, V]], Generic[K, V]):
    """Describes a ``MapState`` or a broadcast state."""

    def __init__(self, name: str, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        super().__init__(name, Types.MAP(key_type_info, value_type_info))
        self.key_type_info = key_type_info
        self.value_type_info = value_type_info


class ReducingStateDescriptor(StateDescriptor[T]):
    """Describes a ``ReducingState``; takes a ``ReduceFunction`` or a callable of two values."""

    def __init__(self, name: str, reduce_function: Any, type_info: TypeInformation) -> None:
        super().__init__(name, type_info)
        if not hasattr(reduce_function, "reduce") and not callable(reduce_function):
            raise TypeError("The input must be a ReduceFunction or a callable function!")
        self.reduce_function = reduce_function

    def get_reduce_function(self) -> Any:
        """Return the function that folds two values into one."""
        return self.reduce_function


class AggregatingStateDescriptor(StateDescriptor[Any]):
    """Describes an ``AggregatingState``; ``state_type_info`` is the accumulator's type."""

    def __init__(self, name: str, agg_function: Any, state_type_info: TypeInformation) -> None:
        super().__init__(name, state_type_info)
        if not hasattr(agg_function, "create_accumulator"):
            raise TypeError("The input must be an AggregateFunction!")
        self.agg_function = agg_function

    def get_agg_function(self) -> Any:
        """Return the aggregate function."""
        return self.agg_function

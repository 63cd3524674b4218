"""User-facing heap states. Each is a thin object of closures over one table and the backend's cursor.

While a snapshot runs, a key is touched before its value is handed out or replaced. A reference that ``value()`` or
``get()`` returns is valid within the record that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from wiesel.core.errors import TypeMismatchError
from wiesel.core.functions import AggregateFunction, ReduceFunction, method_or_callable
from wiesel.core.types import Coercer
from wiesel.core.types.base import inside
from wiesel.state.heap.table import Cursor, Table

#: Tells under which key of the table the current key's value is.
Locate = Callable[[], Any]


def locator(cursor: Cursor, namespace: Callable[[], Any] | None) -> Locate | None:
    """Return a callable for the table key in the current namespace, or None when the key alone is it."""
    if namespace is None:
        return None
    return lambda: (cursor.key, namespace())


class HeapValueState:
    """``ValueState``: ``value`` and ``update`` are closures because they are called for every record."""

    __slots__ = ("clear", "update", "value")

    value: Callable[[], Any]
    update: Callable[[Any], None]
    clear: Callable[[], None]

    def __init__(self, table: Table, cursor: Cursor, locate: Locate | None) -> None:
        shards = table.shards
        immutable = table.immutable

        def clear() -> None:
            key = cursor.key if locate is None else locate()
            if table.pre_images is not None:
                table.touch(cursor.bucket, key)
            shards[cursor.bucket].pop(key, None)

        if locate is None:

            def read() -> Any:
                return shards[cursor.bucket].get(cursor.key)

            def read_mutable() -> Any:
                if table.pre_images is not None:
                    table.touch(cursor.bucket, cursor.key)
                return shards[cursor.bucket].get(cursor.key)

            value = read if immutable else read_mutable

            def update(new: Any) -> None:
                if table.pre_images is not None:
                    table.touch(cursor.bucket, cursor.key)
                if new is None:
                    clear()
                else:
                    shards[cursor.bucket][cursor.key] = new
        else:

            def value() -> Any:
                key = locate()
                if not immutable and table.pre_images is not None:
                    table.touch(cursor.bucket, key)
                return shards[cursor.bucket].get(key)

            def update(new: Any) -> None:
                key = locate()
                if table.pre_images is not None:
                    table.touch(cursor.bucket, key)
                if new is None:
                    clear()
                else:
                    shards[cursor.bucket][key] = new

        self.value = value
        self.update = update
        self.clear = clear


def check_first_updates(state: HeapValueState, table: Table, coerce: Coercer, what: str) -> None:
    """Hold the first values that are stored to their type, for whoever writes the program; then nothing is checked.

    Args:
        state: a handle of the table.
        table: counts how many are still to be checked, over all handles.
        coerce: raises ``TypeMismatchError`` for a value of another type.
        what: the state, for the message.
    """
    if not table.checks_left:
        return
    update = state.update

    def checked(new: Any) -> None:
        if not table.checks_left:
            state.update = update
        elif new is not None:
            table.checks_left -= 1
            try:
                coerce(new)
            except TypeMismatchError as error:
                raise inside(what, error) from None
        update(new)

    state.update = checked


class HeapListState:
    """``ListState`` over a list a key."""

    __slots__ = ("_state",)

    def __init__(self, state: HeapValueState) -> None:
        self._state = state

    def get(self) -> Iterable[Any]:
        """Return an iterable over the elements; empty when there are none."""
        return iter(tuple(self._state.value() or ()))

    def add(self, value: Any) -> None:
        """Append one element."""
        elements = self._state.value()
        if elements is None:
            self._state.update([value])
        else:
            elements.append(value)

    def add_all(self, values: list[Any]) -> None:
        """Append several elements."""
        elements = self._state.value()
        if elements is not None:
            elements.extend(values)
        elif values:
            self._state.update(list(values))

    def update(self, values: list[Any]) -> None:
        """Replace all elements."""
        self._state.update(list(values) or None)

    def clear(self) -> None:
        """Remove all elements."""
        self._state.clear()


class HeapMapState:
    """``MapState`` over a dictionary a key."""

    __slots__ = ("_state",)

    def __init__(self, state: HeapValueState) -> None:
        self._state = state

    def _entries(self) -> dict[Any, Any]:
        return self._state.value() or {}

    def get(self, key: Any) -> Any:
        """Return the value of ``key``, or None."""
        return self._entries().get(key)

    def put(self, key: Any, value: Any) -> None:
        """Set one entry."""
        entries = self._state.value()
        if entries is None:
            self._state.update({key: value})
        else:
            entries[key] = value

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        """Set several entries."""
        # Pairs too: the real PyFlink takes nothing else.
        for key, value in dict(dict_value).items():
            self.put(key, value)

    def remove(self, key: Any) -> None:
        """Remove one entry; the map goes with its last one."""
        entries = self._state.value()
        if entries is not None:
            entries.pop(key, None)
            if not entries:
                self._state.clear()

    def contains(self, key: Any) -> bool:
        """Whether ``key`` has an entry."""
        return key in self._entries()

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Return all entries."""
        return iter(list(self._entries().items()))

    def keys(self) -> Iterable[Any]:
        """Return all keys."""
        return iter(list(self._entries()))

    def values(self) -> Iterable[Any]:
        """Return all values."""
        return iter(list(self._entries().values()))

    def is_empty(self) -> bool:
        """Whether there is no entry."""
        return not self._entries()

    def clear(self) -> None:
        """Remove the map."""
        self._state.clear()

    __getitem__ = get
    __setitem__ = put
    __delitem__ = remove
    __contains__ = contains

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())


class HeapReducingState:
    """``ReducingState`` and ``AggregatingState``: one accumulator a key."""

    __slots__ = ("_add", "_result", "_state")

    def __init__(
        self, state: HeapValueState, add: Callable[[Any, Any], Any], result: Callable[[Any], Any] | None
    ) -> None:
        self._state = state
        self._add = add
        self._result = result

    @staticmethod
    def reducing(state: HeapValueState, function: Any) -> HeapReducingState:
        """Return a state that folds with a ``ReduceFunction`` or callable."""
        reduce = method_or_callable(function, ReduceFunction, "reduce")
        return HeapReducingState(state, lambda old, value: value if old is None else reduce(old, value), None)

    @staticmethod
    def aggregating(state: HeapValueState, function: AggregateFunction) -> HeapReducingState:
        """Return a state that folds with an ``AggregateFunction``."""
        create, add = function.create_accumulator, function.add

        def fold(old: Any, value: Any) -> Any:
            # As in PyFlink, adding None forgets everything.
            return None if value is None else add(value, create() if old is None else old)

        return HeapReducingState(state, fold, function.get_result)

    def get(self) -> Any:
        """Return the folded result, or None when nothing was added."""
        accumulator = self._state.value()
        return accumulator if accumulator is None or self._result is None else self._result(accumulator)

    def add(self, value: Any) -> None:
        """Fold one value in."""
        self._state.update(self._add(self._state.value(), value))

    def clear(self) -> None:
        """Forget everything that was added."""
        self._state.clear()

"""``Row`` and ``RowKind`` as ``pyflink.common.types`` has them.

A row is positional (``Row(1, 'x')``), named (``Row(a=1, b='x')``), or a template: ``Row('a', 'b')`` called with values
gives ``Row(a=.., b=..)``. A positional and a named row are never equal, and no row equals a tuple.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

from wiesel.core.errors import UnsupportedError

__all__ = ["Row", "RowKind", "matched", "named_row"]


class RowKind(Enum):
    """The change that a row stands for (Flink: ``RowKind``)."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self) -> str:
        return _KIND_TEXT[self.value]

    def to_j_row_kind(self) -> Any:
        """Raise: there is no Java object behind a RowKind here."""
        raise UnsupportedError("There is no Java here; use the RowKind itself instead of its Java counterpart.")


_KIND_TEXT = ("+I", "-U", "+U", "-D")


class Row:
    """A sequence of values with optional names and a kind (PyFlink: ``pyflink.common.Row``).

    Values are reached by position (``row[0]``), by name (``row['a']``) or as attributes (``row.a``), and can be
    replaced by position or name. Positional arguments and keywords cannot be mixed.
    """

    # No __dict__: half the memory of PyFlink's row. `_fields` stays unset on a positional row, as in PyFlink.
    __slots__ = ("_fields", "_row_kind", "_values")

    _values: list[Any]
    _fields: Sequence[str]
    _row_kind: RowKind

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs:
            if args:
                raise ValueError("Can not use both args and kwargs to create Row")
            self._fields = [*kwargs]
            self._values = [*kwargs.values()]
        else:
            self._values = [*args]
        self._row_kind = _INSERT

    @staticmethod
    def of_kind(row_kind: RowKind, *args: Any, **kwargs: Any) -> Row:
        """Return a row of the given kind; the other arguments are the constructor's."""
        row = Row(*args, **kwargs)
        row._row_kind = row_kind
        return row

    def as_dict(self, recursive: bool = False) -> dict[str, Any]:
        """Return names and values; nested rows become dicts too when ``recursive``.

        Raises:
            TypeError: the row has no names.
        """
        if not hasattr(self, "_fields"):
            raise TypeError("Cannot convert a Row class into dict")
        values = map(_plain, self._values) if recursive else self._values
        return dict(zip(self._fields, values, strict=False))

    def get_row_kind(self) -> RowKind:
        """Return the change that this row stands for."""
        return self._row_kind

    def set_row_kind(self, row_kind: RowKind) -> None:
        """Set the change that this row stands for."""
        self._row_kind = row_kind

    def set_field_names(self, field_names: list[str]) -> None:
        """Name the fields, in order."""
        self._fields = field_names

    def get_fields_by_names(self, names: list[str]) -> list[Any]:
        """Return the values of ``names``; a positional row returns all its values.

        Raises:
            Exception: a name is not in the row (PyFlink raises the bare class).
        """
        if not hasattr(self, "_fields") or names == self._fields:
            return self._values
        missing = [name for name in names if name not in self._fields]
        if missing:
            raise Exception(f"Field names {missing} not exist in {list(self._fields)}.")
        return [self._values[self._fields.index(name)] for name in names]

    def __call__(self, *args: Any) -> Row:
        """Use this row as a template: its values name the fields of the new row."""
        if len(args) > len(self._values):
            raise ValueError(
                f"Can not create Row with fields {self}, expected {len(self._values)} values but got {args}"
            )
        return _create_row(self._values, args, self._row_kind)

    def __getitem__(self, item: Any) -> Any:
        if type(item) is int or isinstance(item, (int, slice)):  # the first is what most ask for, and cheaper
            return self._values[item]
        return self._values[self._index_of(item)]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, (int, slice)):
            self._values[key] = value
        elif hasattr(self, "_fields"):
            self._values[self._index_of(key)] = value
        else:
            raise KeyError(key)

    def __getattr__(self, item: str) -> Any:
        # Reached only when normal lookup failed. The names are read by the slot's own getter, which does not come
        # back here when they are unset.
        try:
            return self._values[_get_fields(self).index(item)]
        except (AttributeError, ValueError, IndexError):
            names = list(getattr(self, "_fields", ())) if not item.startswith("_") else []
            raise AttributeError(f"{item!r} is not a field of this row, which has {names}" if names else item) from None

    def __contains__(self, item: object) -> bool:
        return item in getattr(self, "_fields", self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row) or self.__class__ is not other.__class__ or self._row_kind is not other._row_kind:
            return False
        names, other_names = getattr(self, "_fields", None), getattr(other, "_fields", None)
        if names is None or other_names is None:
            return names is other_names and self._values == other._values
        if names == other_names:
            return self._values == other._values
        # Named rows are equal whatever the order of their fields.
        order = sorted(names)
        return order == sorted(other_names) and all(self[name] == other[name] for name in order)

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def __repr__(self) -> str:
        if hasattr(self, "_fields"):
            return f"Row({', '.join(f'{n}={v!r}' for n, v in zip(self._fields, self._values, strict=False))})"
        return f"<Row({', '.join(map(repr, self._values))})>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _create_row, (getattr(self, "_fields", None), tuple(self._values), self._row_kind)

    def _is_retract_msg(self) -> bool:
        return self._row_kind in (RowKind.UPDATE_BEFORE, RowKind.DELETE)

    def _is_accumulate_msg(self) -> bool:
        return self._row_kind in (RowKind.INSERT, RowKind.UPDATE_AFTER)

    def _index_of(self, name: Any) -> int:
        try:
            return self._fields.index(name)
        except ValueError:
            raise ValueError(f"{name!r} is not a field of this row, which has {list(self._fields)}") from None


_get_fields = Row.__dict__["_fields"].__get__
_new_row = Row.__new__
_INSERT = RowKind.INSERT


def flat_copy(row: Row) -> Row:
    """Return a row of its own over the same values: the engine's fast way to copy one whose values cannot change."""
    copied = _new_row(Row)
    copied._values = row._values[:]
    copied._row_kind = row._row_kind
    try:
        copied._fields = _get_fields(row)
    except AttributeError:  # a positional row has no names
        return copied
    return copied


def named_row(fields: Sequence[str], values: list[Any], kind: RowKind = _INSERT) -> Row:
    """Return a named row over ``values`` itself, not a copy: the engine's fast way to make rows."""
    row = _new_row(Row)
    row._fields = fields
    row._values = values
    row._row_kind = kind
    return row


def matched(value: Any, names: Sequence[str]) -> Any:
    """Return a row as a sink with fields called ``names`` takes it: by name when it has them all, else by position.

    Flink's sinks read rows by position, so a row of other names is legal there; anything else is returned as it is.
    """
    if type(value) is not Row:
        return value
    own = getattr(value, "_fields", names)
    if own is names or own == names or all(name in own for name in names):
        return value
    row = _new_row(Row)
    row._values = value._values
    row._row_kind = value._row_kind
    return row


# What a pickled row refers to by name, so it must stay importable from here.
def _create_row(fields: Sequence[str] | None, values: Sequence[Any], row_kind: RowKind | None = None) -> Row:
    row = Row(*values)
    if fields is not None:
        row._fields = fields
    if row_kind is not None:
        row._row_kind = row_kind
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return value.as_dict(True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value

"""From values of an older type to those of the type that a state has now.

Rows go by the names of their fields: a new field is None, one that is gone is dropped. Numbers may become wider, texts
longer, SQL types their ``java.time`` counterparts. Anything may become untyped; untyped values are checked one by one.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.errors import TypeMismatchError
from wiesel.core.row import named_row
from wiesel.core.types.arrays import BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo
from wiesel.core.types.base import Coercer, TypeInformation, inside
from wiesel.core.types.basic import BasicTypeInfo
from wiesel.core.types.composite import MapTypeInfo, RowTypeInfo, TupleTypeInfo
from wiesel.core.types.descriptor import descriptor_of
from wiesel.core.types.pickled import PickledBytesTypeInfo

# What each type may become without losing anything.
_WIDER: dict[str, tuple[str, ...]] = {
    "BYTE": ("SHORT", "INT", "LONG", "BIG_INT", "FLOAT", "DOUBLE", "BIG_DEC"),
    "SHORT": ("INT", "LONG", "BIG_INT", "FLOAT", "DOUBLE", "BIG_DEC"),
    "INT": ("LONG", "BIG_INT", "DOUBLE", "BIG_DEC"),
    "LONG": ("BIG_INT", "BIG_DEC"),
    "BIG_INT": ("LONG", "BIG_DEC"),
    "FLOAT": ("DOUBLE",),
    "CHAR": ("STRING",),
    "SQL_DATE": ("LOCAL_DATE",),
    "LOCAL_DATE": ("SQL_DATE",),
    "SQL_TIME": ("LOCAL_TIME",),
    "SQL_TIMESTAMP": ("LOCAL_DATE_TIME",),
}

_ARRAYS = (PrimitiveArrayTypeInfo, ListTypeInfo, BasicArrayTypeInfo, ObjectArrayTypeInfo)
_NULLABLE_ARRAYS = (BasicArrayTypeInfo, ObjectArrayTypeInfo)


def migration(old: TypeInformation, new: TypeInformation) -> Coercer | None:
    """Return the function from a value of ``old`` to one of ``new``; None when values stay as they are.

    Raises:
        TypeMismatchError: there is none; the message names both types and where they differ.
    """
    old_descriptor, new_descriptor = descriptor_of(old), descriptor_of(new)
    if old_descriptor == new_descriptor or isinstance(new, PickledBytesTypeInfo):
        return None
    if isinstance(old, PickledBytesTypeInfo):
        return new.coercer()
    if isinstance(old_descriptor, str) and new_descriptor in _WIDER.get(old_descriptor, ()):
        return new.coercer() if isinstance(new, BasicTypeInfo) else None
    if isinstance(old, RowTypeInfo) and isinstance(new, RowTypeInfo):
        return _row_migration(old, new)
    if isinstance(old, TupleTypeInfo) and isinstance(new, TupleTypeInfo):
        return _tuple_migration(old, new)
    if isinstance(old, MapTypeInfo) and isinstance(new, MapTypeInfo):
        return _map_migration(old, new)
    if isinstance(old, _ARRAYS) and isinstance(new, _ARRAYS) and _may_hold(old, new):
        return _array_migration(old, new)
    raise TypeMismatchError(f"{old} cannot become {new}")


def _may_hold(old: Any, new: Any) -> bool:
    # Arrays of BYTE are bytes, not lists; None fits only where elements may be None.
    return old.holds_bytes == new.holds_bytes and (
        isinstance(new, _NULLABLE_ARRAYS) or not isinstance(old, _NULLABLE_ARRAYS)
    )


def _part(old: TypeInformation, new: TypeInformation, where: str) -> Coercer:
    try:
        return migration(old, new) or _same
    except TypeMismatchError as error:
        raise inside(where, error) from None


def _row_migration(old: RowTypeInfo, new: RowTypeInfo) -> Coercer:
    old_types = dict(zip(old.get_field_names(), old.get_field_types(), strict=True))
    positions = {name: index for index, name in enumerate(old_types)}
    names = new.get_field_names()
    parts: list[tuple[int, Coercer]] = [
        (positions[name], _part(old_types[name], kind, f"field {name}")) if name in positions else (-1, _same)
        for name, kind in zip(names, new.get_field_types(), strict=True)
    ]

    def migrate(row: Any) -> Any:
        values = [None if i < 0 or row._values[i] is None else convert(row._values[i]) for i, convert in parts]
        return named_row(names, values, row._row_kind)

    return migrate


def _tuple_migration(old: TupleTypeInfo, new: TupleTypeInfo) -> Coercer:
    old_types, new_types = old.get_field_types(), new.get_field_types()
    if len(old_types) != len(new_types):
        raise TypeMismatchError(f"{old} cannot become {new}: a tuple keeps its length (rows can gain and lose fields)")
    pairs = enumerate(zip(old_types, new_types, strict=True))
    parts = [_part(before, after, f"field {index}") for index, (before, after) in pairs]
    return lambda value: tuple([convert(item) for convert, item in zip(parts, value, strict=True)])


def _map_migration(old: MapTypeInfo, new: MapTypeInfo) -> Coercer:
    key, value = _part(old.key_type, new.key_type, "key"), _part(old.value_type, new.value_type, "value")
    return lambda entries: {key(k): None if v is None else value(v) for k, v in entries.items()}


def _array_migration(old: Any, new: Any) -> Coercer | None:
    convert = migration(old.element_type, new.element_type)
    if convert is None:
        return None
    return lambda value: [None if item is None else convert(item) for item in value]


def _same(value: Any) -> Any:
    return value

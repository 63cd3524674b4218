"""Rows, tuples and maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wiesel.core.arguments import expect_type
from wiesel.core.errors import TypeMismatchError
from wiesel.core.java_hash import MASK, row_hash, tuple_hash
from wiesel.core.row import Row, RowKind, named_row
from wiesel.core.types.as_is import as_is_checker
from wiesel.core.types.base import Coercer, TypeInformation, inside, mismatch
from wiesel.core.types.codec import Reader, Writer, read_nulls, read_varint, write_nulls, write_varint

_KINDS = tuple(RowKind)


class _FieldsTypeInfo(TypeInformation):
    """A fixed number of fields of their own types."""

    def __init__(self, field_types: list[TypeInformation]) -> None:
        super().__init__()
        self._field_types = list(field_types)
        for field_type in self._field_types:
            expect_type(field_type, f"A field of {type(self).__name__}")

    def get_field_types(self) -> list[TypeInformation]:
        """Return the types of the fields, in order."""
        return self._field_types

    def need_conversion(self) -> bool:
        """See the base class."""
        return True

    def _to_internal_fields(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            kind.to_internal_type(value) if kind.need_conversion() else value
            for kind, value in zip(self._field_types, values, strict=False)
        )

    def from_internal_type(self, obj: Any) -> Any:
        """Return a tuple of Python's objects; a tuple or list has been converted already."""
        if obj is None or isinstance(obj, (tuple, list)):
            return obj
        return tuple(
            kind.from_internal_type(value) if kind.need_conversion() else value
            for kind, value in zip(self._field_types, obj, strict=False)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._field_types == other._field_types

    __hash__ = TypeInformation.__hash__


class RowTypeInfo(_FieldsTypeInfo):
    """A ``Row``; names are ``f0``, ``f1``, … where none are given. Fields may be None."""

    def __init__(self, field_types: list[TypeInformation], field_names: list[str] | None = None) -> None:
        super().__init__(field_types)
        if field_names and len(field_names) != len(field_types):
            raise ValueError(f"ROW_NAMED has {len(field_names)} names for {len(field_types)} types: {field_names}")
        self._field_names = list(field_names) if field_names else None

    def get_field_names(self) -> list[str]:
        """Return the names of the fields, in order."""
        return self._field_names or [f"f{index}" for index in range(len(self._field_types))]

    def get_field_index(self, field_name: str) -> int:
        """Return the position of a field; -1 when the type has no names of its own, as in PyFlink."""
        return self._field_names.index(field_name) if self._field_names else -1

    def to_internal_type(self, obj: Any) -> Any:
        """Return a tuple of the row's kind and the internal fields."""
        if obj is None:
            return None
        row = _row_from_any(obj, self.get_field_names())
        return (row.get_row_kind().value, *self._to_internal_fields(row._values))

    def coercer(self) -> Coercer:
        """See the base class: only a ``Row`` passes a boundary, and it comes out named."""
        names = self.get_field_names()
        coerce_fields = _fields_coercer(self._field_types, names, nullable=True)

        def coerce(value: Any) -> Any:
            if not isinstance(value, Row):
                raise mismatch(f"Row for {self}", value)
            return named_row(names, coerce_fields(_values_by_name(value, names)), value._row_kind)

        return coerce

    def collection_coercer(self) -> Coercer:
        """See the base class: tuples, lists, dicts and objects with attributes become rows."""
        names = self.get_field_names()
        coerce_fields = _fields_coercer(self._field_types, names, nullable=True, collection=True)

        def coerce(value: Any) -> Any:
            row = _row_from_any(value, names)
            return named_row(names, coerce_fields(row._values), row._row_kind)

        return coerce

    def writer(self) -> Writer:
        """See the base class."""
        writers = [kind.writer() for kind in self._field_types]

        def write(row: Any, out: bytearray) -> None:
            values = row._values
            out.append(row._row_kind.value)
            write_nulls(values, out)
            for write_field, value in zip(writers, values, strict=True):
                if value is not None:
                    write_field(value, out)

        return write

    def reader(self) -> Reader:
        """See the base class."""
        names, readers = self.get_field_names(), [kind.reader() for kind in self._field_types]
        count = len(readers)

        def read(data: bytes, position: int) -> tuple[Any, int]:
            kind = _KINDS[data[position]]
            nulls, position = read_nulls(count, data, position + 1)
            values: list[Any] = []
            for index, read_field in enumerate(readers):
                if nulls >> index & 1:
                    values.append(None)
                else:
                    value, position = read_field(data, position)
                    values.append(value)
            return named_row(names, values, kind), position

        return read

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        hashes = (kind.deep_hash(item) for kind, item in zip(self._field_types, value._values, strict=True))
        return row_hash(value._row_kind.value, hashes)

    def text(self, value: Any) -> str:
        """See the base class."""
        fields = zip(self._field_types, value._values, strict=True)
        return f"{value._row_kind}[{', '.join(kind.nested_text(item) for kind, item in fields)}]"

    def __repr__(self) -> str:
        if self._field_names is None:
            return f"RowTypeInfo({', '.join(map(str, self._field_types))})"
        fields = zip(self._field_names, self._field_types, strict=True)
        return f"RowTypeInfo({', '.join(f'{name}: {kind}' for name, kind in fields)})"

    # Names are no part of it, as in PyFlink.
    __hash__ = _FieldsTypeInfo.__hash__


class TupleTypeInfo(_FieldsTypeInfo):
    """A Python tuple; no field is None."""

    def to_internal_type(self, obj: Any) -> Any:
        """Return a tuple of the internal fields."""
        if obj is None:
            return None
        if not isinstance(obj, (list, tuple, Row)):
            raise ValueError(f"Unexpected tuple {obj!r} with TupleTypeInfo")
        return self._to_internal_fields(list(obj))

    def coercer(self) -> Coercer:
        """See the base class."""
        coerce_fields = _fields_coercer(self._field_types, None, nullable=False)

        def coerce(value: Any) -> Any:
            if type(value) is not tuple:
                raise mismatch(f"tuple for {self}", value)
            return tuple(coerce_fields(value))

        return coerce

    def collection_coercer(self) -> Coercer:
        """See the base class: lists and rows become tuples."""
        coerce_fields = _fields_coercer(self._field_types, None, nullable=False, collection=True)

        def coerce(value: Any) -> Any:
            if not isinstance(value, (tuple, list, Row)):
                raise mismatch(f"tuple, list or Row for {self}", value)
            return tuple(coerce_fields(list(value)))

        return coerce

    def writer(self) -> Writer:
        """See the base class."""
        writers = [kind.writer() for kind in self._field_types]

        def write(value: Any, out: bytearray) -> None:
            for write_field, item in zip(writers, value, strict=True):
                write_field(item, out)

        return write

    def reader(self) -> Reader:
        """See the base class."""
        readers = [kind.reader() for kind in self._field_types]

        def read(data: bytes, position: int) -> tuple[Any, int]:
            values = []
            for read_field in readers:
                value, position = read_field(data, position)
                values.append(value)
            return tuple(values), position

        return read

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        fields = zip(self._field_types, value, strict=True)
        return tuple_hash(0 if item is None else kind.java_hash(item) for kind, item in fields)

    def text(self, value: Any) -> str:
        """See the base class."""
        fields = zip(self._field_types, value, strict=True)
        return f"({','.join(kind.nested_text(item) for kind, item in fields)})"

    def __repr__(self) -> str:
        return f"TupleTypeInfo({', '.join(map(str, self._field_types))})"


class MapTypeInfo(TypeInformation):
    """A dict with keys of one type and values of another; values may be None."""

    def __init__(self, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        super().__init__()
        expect_type(key_type_info, "MAP")
        expect_type(value_type_info, "MAP")
        self._key_type_info = key_type_info
        self._value_type_info = value_type_info

    @property
    def key_type(self) -> TypeInformation:
        """The type of the keys."""
        return self._key_type_info

    @property
    def value_type(self) -> TypeInformation:
        """The type of the values."""
        return self._value_type_info

    def coercer(self) -> Coercer:
        """See the base class."""
        coerce_key, coerce_value = self._key_type_info.coercer(), self._value_type_info.coercer()

        def coerce(value: Any) -> Any:
            if not isinstance(value, dict):
                raise mismatch(f"dict for {self}", value)
            result = {}
            for key, item in value.items():
                try:
                    result[coerce_key(key)] = None if item is None else coerce_value(item)
                except TypeMismatchError as error:
                    raise inside(f"entry {key!r}", error) from None
            return result

        return coerce

    def writer(self) -> Writer:
        """See the base class."""
        write_key, write_value = self._key_type_info.writer(), self._value_type_info.writer()

        def write(value: Any, out: bytearray) -> None:
            write_varint(len(value), out)
            for key, item in value.items():
                write_key(key, out)
                out.append(item is None)
                if item is not None:
                    write_value(item, out)

        return write

    def reader(self) -> Reader:
        """See the base class."""
        read_key, read_value = self._key_type_info.reader(), self._value_type_info.reader()

        def read(data: bytes, position: int) -> tuple[Any, int]:
            count, position = read_varint(data, position)
            value = {}
            for _ in range(count):
                key, position = read_key(data, position)
                is_null, position = data[position], position + 1
                item, position = (None, position) if is_null else read_value(data, position)
                value[key] = item
            return value, position

        return read

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        total = 0
        for key, item in value.items():
            total += self._key_type_info.java_hash(key) ^ (0 if item is None else self._value_type_info.java_hash(item))
        return total & MASK

    def deep_hash(self, value: Any) -> int:
        """See the base class."""
        if value is None:
            return 0
        total = 1
        for key, item in value.items():
            total += self._key_type_info.deep_hash(key) ^ self._value_type_info.deep_hash(item)
        return total & MASK

    def text(self, value: Any) -> str:
        """Return the entries in the dict's order; a Java map has an order of its own."""
        key_text, value_text = self._key_type_info.nested_text, self._value_type_info.nested_text
        return f"{{{', '.join(f'{key_text(key)}={value_text(item)}' for key, item in value.items())}}}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, MapTypeInfo)
            and self._key_type_info == other._key_type_info
            and self._value_type_info == other._value_type_info
        )

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return f"MapTypeInfo<{self._key_type_info}, {self._value_type_info}>"


def _values_by_name(row: Row, names: list[str]) -> list[Any]:
    own = getattr(row, "_fields", None)
    if own is None or own == names:
        return row._values
    try:
        return [row._values[own.index(name)] for name in names]
    except ValueError:
        missing = [name for name in names if name not in own]
        raise TypeMismatchError(f"Expected a Row with the fields {names}, got {row!r}, which lacks {missing}") from None


def _row_from_any(value: Any, names: list[str]) -> Row:
    if isinstance(value, Row):
        return named_row(names, list(_values_by_name(value, names)), value._row_kind)
    if isinstance(value, dict):
        return named_row(names, [value.get(name) for name in names])
    if isinstance(value, (tuple, list)):
        return named_row(names, list(value))
    if hasattr(value, "__dict__"):
        return named_row(names, [getattr(value, name, None) for name in names])
    raise mismatch("Row, tuple, list, dict or an object with attributes for a ROW", value)


def _fields_coercer(
    types: list[TypeInformation], names: list[str] | None, *, nullable: bool, collection: bool = False
) -> Coercer:
    """Return the function from a sequence of field values to a new list of coerced ones."""
    coercers = [kind.collection_coercer() if collection else kind.coercer() for kind in types]
    is_as_is = as_is_checker(types, nullable=nullable)
    count = len(types)
    labels = names or [str(index) for index in range(count)]
    what = "values for the fields" if names else "fields, as the tuple's type has"

    def coerce_field(index: int, value: Any) -> Any:
        if value is None and nullable:
            return None
        try:
            return coercers[index](value)
        except TypeMismatchError as error:
            raise inside(f"field {labels[index]}", error) from None

    def coerce(values: Sequence[Any]) -> list[Any]:
        if len(values) != count:
            if len(values) < count:
                raise TypeMismatchError(f"Expected {count} {what} {labels}, got {len(values)}: {values!r}")
            values = values[:count]  # what is more is lost on its way through Flink
        return list(values) if is_as_is(values) else [coerce_field(i, value) for i, value in enumerate(values)]

    return coerce

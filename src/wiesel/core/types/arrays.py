"""Arrays and lists of one element type. Python's side is always a ``list``, but ``bytes`` for arrays of BYTE."""

from __future__ import annotations

import struct
from typing import Any

from wiesel.core.arguments import expect_type
from wiesel.core.errors import TypeMismatchError
from wiesel.core.java_hash import bytes_hash, list_hash
from wiesel.core.types.base import Coercer, TypeInformation, inside, mismatch
from wiesel.core.types.basic import BasicType, BasicTypeInfo
from wiesel.core.types.codec import (
    Codec,
    Reader,
    Writer,
    bytes_reader,
    bytes_writer,
    read_nulls,
    read_varint,
    write_nulls,
    write_varint,
)

_PRIMITIVES = {
    BasicType.BOOLEAN: "Z",
    BasicType.BYTE: "B",
    BasicType.SHORT: "S",
    BasicType.INT: "I",
    BasicType.LONG: "J",
    BasicType.FLOAT: "F",
    BasicType.DOUBLE: "D",
    BasicType.CHAR: "C",
}


class _ElementsTypeInfo(TypeInformation):
    """Many values of one type."""

    _nullable = False

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__()
        expect_type(element_type, f"An element of {type(self).__name__}")
        self._element_type = element_type

    @property
    def element_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._element_type

    @property
    def holds_bytes(self) -> bool:
        """Whether values are ``bytes``, not lists."""
        return False

    def coercer(self) -> Coercer:
        """See the base class."""
        if self.holds_bytes:
            return _coerce_bytes
        return _list_coercer(repr(self), self._element_type, self._nullable)

    def writer(self) -> Writer:
        """See the base class."""
        if self.holds_bytes:
            return bytes_writer()
        form = self._packed_element()
        if form is not None and not self._nullable:
            return _packed_writer(form)
        return _elements_writer(self._element_type.writer(), self._nullable)

    def reader(self) -> Reader:
        """See the base class."""
        if self.holds_bytes:
            return bytes_reader()
        form = self._packed_element()
        if form is not None and not self._nullable:
            return _packed_reader(form)
        return _elements_reader(self._element_type.reader(), self._nullable)

    def _packed_element(self) -> str | None:
        form = self._element_type.struct_format if isinstance(self._element_type, BasicTypeInfo) else None
        return form.format[1:] if form is not None and len(form.format) == 2 else None

    def _make_codec(self) -> Codec:
        return Codec(_coerce_bytes, _decode_bytes) if self.holds_bytes else super()._make_codec()

    def java_hash(self, value: Any) -> int:
        """Return the hash of the contents (Flink's own is the array's identity where it is not inside a row)."""
        if self.holds_bytes:
            return bytes_hash(value)
        element = self._element_type
        return list_hash(0 if item is None else element.java_hash(item) for item in value)

    def nested_text(self, value: Any) -> str:
        """See the base class."""
        if value is None:
            return "null"
        if self.holds_bytes:
            return f"[{', '.join(str(byte - 256 if byte > 127 else byte) for byte in value)}]"
        return f"[{', '.join(map(self._element_type.nested_text, value))}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._element_type == other._element_type

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self._element_type}>"


class _ArrayTypeInfo(_ElementsTypeInfo):
    """A Java array, whose ``toString`` is its class and identity; the hash of the contents stands for the latter."""

    def text(self, value: Any) -> str:
        """See the base class."""
        return f"[{self._java_element_name()}@{self.java_hash(value):x}"

    def _java_element_name(self) -> str:
        element = self._element_type
        name = element.basic_type.value if isinstance(element, BasicTypeInfo) else type(element).__name__
        return f"Ljava.lang.{'Character' if name == 'Char' else name};"


class PrimitiveArrayTypeInfo(_ArrayTypeInfo):
    """An array of Java primitives: no element is None."""

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        if not isinstance(element_type, BasicTypeInfo) or element_type.basic_type not in _PRIMITIVES:
            raise TypeError(f"Invalid element type for a primitive array: {element_type}")

    @property
    def holds_bytes(self) -> bool:
        """See the base class."""
        return _is_byte(self._element_type)

    def _java_element_name(self) -> str:
        assert isinstance(self._element_type, BasicTypeInfo)
        return _PRIMITIVES[self._element_type.basic_type]


class BasicArrayTypeInfo(_ArrayTypeInfo):
    """An array of boxed numbers or texts; elements may be None."""

    _nullable = True

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        boxed = {*_PRIMITIVES, BasicType.STRING}
        if not isinstance(element_type, BasicTypeInfo) or element_type.basic_type not in boxed:
            raise TypeError(f"Invalid element type for a basic array: {element_type}")

    def deep_hash(self, value: Any) -> int:
        """See the base class."""
        return _deep_list_hash(self._element_type, value)


class ObjectArrayTypeInfo(_ArrayTypeInfo):
    """An array of objects; elements may be None."""

    _nullable = True

    def deep_hash(self, value: Any) -> int:
        """See the base class."""
        return _deep_list_hash(self._element_type, value)


class ListTypeInfo(_ElementsTypeInfo):
    """A list; no element is None, as in PyFlink."""

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        self.elem_type = element_type

    @property
    def holds_bytes(self) -> bool:
        """See the base class."""
        # PyFlink carries a LIST of BYTE as bytes too.
        return _is_byte(self._element_type)

    def deep_hash(self, value: Any) -> int:
        """See the base class."""
        return _deep_list_hash(self._element_type, value)

    def text(self, value: Any) -> str:
        """See the base class."""
        return self.nested_text(value)


def _is_byte(element_type: TypeInformation) -> bool:
    return isinstance(element_type, BasicTypeInfo) and element_type.basic_type is BasicType.BYTE


def _deep_list_hash(element_type: TypeInformation, value: Any) -> int:
    return 0 if value is None else list_hash(map(element_type.deep_hash, value))


def _coerce_bytes(value: Any) -> Any:
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise mismatch("bytes for an array of BYTE", value)


def _decode_bytes(data: bytes) -> bytes:
    return data


def _list_coercer(name: str, element_type: TypeInformation, nullable: bool) -> Coercer:
    coerce_element = element_type.coercer()
    identity = element_type.is_identity

    def coerce(value: Any) -> Any:
        if type(value) is not list:
            raise mismatch(f"list for {name}", value)
        if identity:
            return value
        try:
            if nullable:
                return [None if item is None else coerce_element(item) for item in value]
            return [coerce_element(item) for item in value]
        except TypeMismatchError:
            _raise_at_element(value, coerce_element, nullable)
            raise

    return coerce


def _raise_at_element(value: list[Any], coerce_element: Coercer, nullable: bool) -> None:
    for index, item in enumerate(value):
        if item is not None or not nullable:
            try:
                coerce_element(item)
            except TypeMismatchError as error:
                raise inside(f"element {index}", error) from None


def _packed_writer(form: str) -> Writer:
    def write(value: Any, out: bytearray) -> None:
        count = len(value)
        write_varint(count, out)
        out += struct.pack(f">{count}{form}", *value)

    return write


def _packed_reader(form: str) -> Reader:
    size = struct.calcsize(f">{form}")

    def read(data: bytes, position: int) -> tuple[Any, int]:
        count, position = read_varint(data, position)
        return list(struct.unpack_from(f">{count}{form}", data, position)), position + count * size

    return read


def _elements_writer(write_element: Writer, nullable: bool) -> Writer:
    def write(value: Any, out: bytearray) -> None:
        write_varint(len(value), out)
        if nullable:
            write_nulls(value, out)
        for item in value:
            if item is not None or not nullable:
                write_element(item, out)

    return write


def _elements_reader(read_element: Reader, nullable: bool) -> Reader:
    def read(data: bytes, position: int) -> tuple[Any, int]:
        count, position = read_varint(data, position)
        nulls, position = read_nulls(count, data, position) if nullable else (0, position)
        value: list[Any] = []
        for index in range(count):
            if nulls >> index & 1:
                value.append(None)
            else:
                item, position = read_element(data, position)
                value.append(item)
        return value, position

    return read

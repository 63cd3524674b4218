"""What every type knows how to do, for scripts (PyFlink's interface) and for the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.errors import TypeMismatchError, UnsupportedError
from wiesel.core.types.codec import Codec, Reader, Writer, framed_codec

#: Takes a value and returns what the other side of a serialisation boundary would see, or raises.
Coercer = Callable[[Any], Any]

_SHOWN = 80


class ValueOverflowError(TypeMismatchError, OverflowError):
    """A number does not fit the declared type; an ``OverflowError`` in PyFlink too."""


class TypeInformation:
    """The type of the records of a stream, of a key or of state (Flink: ``TypeInformation``).

    Functions chained to each other pass objects as they are; a type acts where Flink serialises: at a shuffle, in
    state, in a sink. There ``coercer`` decides what the value becomes.
    """

    def __init__(self) -> None:
        self._codec: Codec | None = None

    # ------------------------------------------------------------------------------------------ PyFlink's interface

    def get_java_type_info(self) -> Any:
        """Raise: there is no Java object behind a type here."""
        raise UnsupportedError("There is no Java here; pass the TypeInformation itself.")

    def need_conversion(self) -> bool:
        """Whether Python's object and Flink's internal one differ."""
        return False

    def to_internal_type(self, obj: Any) -> Any:
        """Return Flink's internal object for ``obj``."""
        return obj

    def from_internal_type(self, obj: Any) -> Any:
        """Return Python's object for Flink's internal ``obj``."""
        return obj

    # --------------------------------------------------------------------------------------------- for the engine

    @property
    def is_identity(self) -> bool:
        """Whether ``coercer`` can neither change nor refuse a value."""
        return False

    def coercer(self) -> Coercer:
        """Return the function that does to a value what a serialisation boundary of Flink does.

        It raises ``TypeMismatchError`` for a value that does not fit. Take it once and call it for every record.
        """
        raise UnsupportedError(f"{type(self).__name__} has no values: use one of wiesel.common.Types")

    def coerce(self, value: Any) -> Any:
        """Return ``value`` as it is behind a serialisation boundary."""
        return self.coercer()(value)

    def collection_coercer(self) -> Coercer:
        """Return the function for elements of ``from_collection``, which takes tuples and dicts for rows."""
        return self.coercer()

    def writer(self) -> Writer:
        """Return the function that appends a coerced value's bytes, such that ``reader`` finds their end."""
        raise UnsupportedError(f"{type(self).__name__} has no values: use one of wiesel.common.Types")

    def reader(self) -> Reader:
        """Return the function that reads a value at a position and returns it with the position behind it."""
        raise UnsupportedError(f"{type(self).__name__} has no values: use one of wiesel.common.Types")

    def codec(self) -> Codec:
        """Return the codec of whole values, for state and exchange; the layout is told in ``codec.py``."""
        if self._codec is None:
            self._codec = self._make_codec()
        return self._codec

    def encode(self, value: Any) -> bytes:
        """Return the bytes of ``value``, which is coerced first when it has to be."""
        return self.codec().encode(value)

    def decode(self, data: bytes) -> Any:
        """Return the value that ``encode`` was given, coerced."""
        return self.codec().decode(data)

    def java_hash(self, value: Any) -> int:
        """Return ``hashCode`` of a coerced value that is not None, as an unsigned 32-bit number."""
        raise UnsupportedError(f"Values of {self} cannot be keys")

    def deep_hash(self, value: Any) -> int:
        """Return what Flink's ``Row`` mixes in for a field of this type; None counts 0."""
        return 0 if value is None else 31 + self.java_hash(value) & 0xFFFFFFFF

    def text(self, value: Any) -> str:
        """Return ``toString`` of a coerced value that is not None."""
        return str(value)

    def nested_text(self, value: Any) -> str:
        """Return the text inside a tuple, row, list or map, where Flink shows the contents of arrays."""
        return "null" if value is None else self.text(value)

    def _make_codec(self) -> Codec:
        return framed_codec(self.coercer(), self.writer(), self.reader())

    def __getstate__(self) -> dict[str, Any]:
        # Codecs are closures; they are made anew where the type is unpickled.
        return self.__dict__ | {"_codec": None}

    def __hash__(self) -> int:
        return hash(type(self))


def mismatch(expected: str, value: object) -> TypeMismatchError:
    """Return the error for a value that is not what its type says."""
    return TypeMismatchError(f"Expected {expected}, got {type(value).__name__}: {shown(value)}")


def overflow(expected: str, value: object) -> ValueOverflowError:
    """Return the error for a number that its type cannot hold."""
    return ValueOverflowError(f"Expected {expected}, got {shown(value)}, which is out of range")


def inside(where: str, error: TypeMismatchError) -> TypeMismatchError:
    """Return ``error`` again, saying in which part of a composite value it happened."""
    return type(error)(f"{where}: {error}")


def shown(value: object) -> str:
    """Return ``repr(value)`` cut to what fits a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"

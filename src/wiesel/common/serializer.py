"""``TypeSerializer``, which a script may implement (mirrors ``pyflink.common.serializer``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from typing import Final, Generic, TypeVar

__all__ = ["TypeSerializer", "VoidNamespaceSerializer", "void"]

T = TypeVar("T")

#: The only namespace of state that has none.
void: Final = b""


class TypeSerializer(ABC, Generic[T]):
    """Writes elements to a stream and reads them back (Flink: ``TypeSerializer``)."""

    @abstractmethod
    def serialize(self, element: T, stream: BytesIO) -> None:
        """Write an element."""

    @abstractmethod
    def deserialize(self, stream: BytesIO) -> T:
        """Read an element."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}()"


class VoidNamespaceSerializer(TypeSerializer[bytes]):
    """Writes nothing and reads ``void``."""

    def serialize(self, element: bytes, stream: BytesIO) -> None:
        """Write nothing."""

    def deserialize(self, stream: BytesIO) -> bytes:
        """Read nothing."""
        return void

"""How a value of one type becomes bytes (mirrors ``pyflink.common.serializer``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from typing import Generic, TypeVar

T = TypeVar("T")

__all__ = ["TypeSerializer"]


class TypeSerializer(ABC, Generic[T]):
    """Writes values of one type to a stream and reads them back; equal when class and attributes are."""

    @abstractmethod
    def serialize(self, element: T, stream: BytesIO) -> None:
        """Write ``element``."""

    @abstractmethod
    def deserialize(self, stream: BytesIO) -> T:
        """Read one element."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

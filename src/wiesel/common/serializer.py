"""``TypeSerializer``, which a script may implement (mirrors ``pyflink.common.serializer``)."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from wiesel.core.serializer import TypeSerializer

__all__ = ["TypeSerializer", "VoidNamespaceSerializer", "void"]

#: The only namespace of state that has none.
void: Final = b""


class VoidNamespaceSerializer(TypeSerializer[bytes]):
    """Writes nothing and reads ``void``."""

    def serialize(self, element: bytes, stream: BytesIO) -> None:
        """Write nothing."""

    def deserialize(self, stream: BytesIO) -> bytes:
        """Read nothing."""
        return void

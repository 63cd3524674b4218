"""``ExternalTypeInfo``: another type under the name that Flink's Table API gives it."""

from __future__ import annotations

from typing import Any

from wiesel.core.types.base import Coercer, TypeInformation
from wiesel.core.types.codec import Codec, Reader, Writer


class ExternalTypeInfo(TypeInformation):
    """Does everything as the type it holds (Flink: ``ExternalTypeInfo``).

    Args:
        type_info: that type.
    """

    def __init__(self, type_info: TypeInformation) -> None:
        super().__init__()
        self._type_info = type_info

    @property
    def type_info(self) -> TypeInformation:
        """The type it holds."""
        return self._type_info

    @property
    def is_identity(self) -> bool:
        """See the base class."""
        return self._type_info.is_identity

    def coercer(self) -> Coercer:
        """See the base class."""
        return self._type_info.coercer()

    def collection_coercer(self) -> Coercer:
        """See the base class."""
        return self._type_info.collection_coercer()

    def writer(self) -> Writer:
        """See the base class."""
        return self._type_info.writer()

    def reader(self) -> Reader:
        """See the base class."""
        return self._type_info.reader()

    def _make_codec(self) -> Codec:
        return self._type_info.codec()

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        return self._type_info.java_hash(value)

    def deep_hash(self, value: Any) -> int:
        """See the base class."""
        return self._type_info.deep_hash(value)

    def text(self, value: Any) -> str:
        """See the base class."""
        return self._type_info.text(value)

    def nested_text(self, value: Any) -> str:
        """See the base class."""
        return self._type_info.nested_text(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExternalTypeInfo) and self._type_info == other._type_info

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return f"ExternalTypeInfo<{self._type_info}>"

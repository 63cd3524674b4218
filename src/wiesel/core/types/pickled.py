"""Any Python object: the type of everything that declares none (PyFlink: ``PickledBytesTypeInfo``)."""

from __future__ import annotations

from typing import Any

from wiesel.core.java_hash import bytes_hash
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.core.state_key import canonical_pickle
from wiesel.core.types.base import Coercer, TypeInformation, mismatch
from wiesel.core.types.codec import Codec, Reader, Writer, bytes_reader, bytes_writer


class PickledBytesTypeInfo(TypeInformation):
    """Any Python object that can be pickled."""

    @property
    def is_identity(self) -> bool:
        """See the base class: objects pass as they are."""
        return True

    def coercer(self) -> Coercer:
        """See the base class."""
        return _same

    def writer(self) -> Writer:
        """See the base class."""
        return bytes_writer(pickle_value)

    def reader(self) -> Reader:
        """See the base class."""
        return bytes_reader(unpickle_value)

    def _make_codec(self) -> Codec:
        return Codec(pickle_value, unpickle_value)

    def java_hash(self, value: Any) -> int:
        """Return the hash of the pickle; equal values share it however Python happens to store them."""
        return bytes_hash(canonical_pickle(value))

    def text(self, value: Any) -> str:
        """Return what ``print`` shows: ``str(value)``. Bytes cannot be printed untyped, as in PyFlink."""
        if isinstance(value, (bytes, bytearray)):
            raise mismatch("something printable (declare bytes as PRIMITIVE_ARRAY(BYTE), or decode them)", value)
        return str(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PickledBytesTypeInfo)

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return "PickledByteArrayTypeInfo"


def _same(value: Any) -> Any:
    return value

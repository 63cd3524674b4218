"""The types of records, keys and state: coercion at boundaries, codecs, Java's hashes and texts."""

from wiesel.core.types.arrays import BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo
from wiesel.core.types.base import Coercer, TypeInformation, ValueOverflowError
from wiesel.core.types.basic import BasicType, BasicTypeInfo, InstantTypeInfo
from wiesel.core.types.codec import Codec
from wiesel.core.types.composite import MapTypeInfo, RowTypeInfo, TupleTypeInfo
from wiesel.core.types.descriptor import Descriptor, descriptor_of, type_of_descriptor
from wiesel.core.types.external import ExternalTypeInfo
from wiesel.core.types.factory import Types
from wiesel.core.types.migration import migration
from wiesel.core.types.pickled import PickledBytesTypeInfo
from wiesel.core.types.temporal import (
    DateTypeInfo,
    LocalTimeTypeInfo,
    SqlTimeTypeInfo,
    TimestampTypeInfo,
    TimeTypeInfo,
)

__all__ = [
    "BasicArrayTypeInfo",
    "BasicType",
    "BasicTypeInfo",
    "Codec",
    "Coercer",
    "DateTypeInfo",
    "Descriptor",
    "ExternalTypeInfo",
    "InstantTypeInfo",
    "ListTypeInfo",
    "LocalTimeTypeInfo",
    "MapTypeInfo",
    "ObjectArrayTypeInfo",
    "PickledBytesTypeInfo",
    "PrimitiveArrayTypeInfo",
    "RowTypeInfo",
    "SqlTimeTypeInfo",
    "TimeTypeInfo",
    "TimestampTypeInfo",
    "TupleTypeInfo",
    "TypeInformation",
    "Types",
    "ValueOverflowError",
    "descriptor_of",
    "migration",
    "type_of_descriptor",
]

"""Types as JSON, which a checkpoint stores once beside the values of a state: how old values are read later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.types.arrays import BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo
from wiesel.core.types.base import TypeInformation
from wiesel.core.types.basic import BasicType, BasicTypeInfo, InstantTypeInfo
from wiesel.core.types.composite import MapTypeInfo, RowTypeInfo, TupleTypeInfo
from wiesel.core.types.external import ExternalTypeInfo
from wiesel.core.types.pickled import PickledBytesTypeInfo
from wiesel.core.types.temporal import DateTypeInfo, LocalTimeTypeInfo, TimestampTypeInfo, TimeTypeInfo

#: A JSON value: a name, or a list of a name and what the type is made of.
Descriptor = Any

_ARRAYS: dict[str, Callable[[TypeInformation], TypeInformation]] = {
    "PRIMITIVE_ARRAY": PrimitiveArrayTypeInfo,
    "BASIC_ARRAY": BasicArrayTypeInfo,
    "OBJECT_ARRAY": ObjectArrayTypeInfo,
    "LIST": ListTypeInfo,
}
_ARRAY_NAMES: dict[type, str] = {
    PrimitiveArrayTypeInfo: "PRIMITIVE_ARRAY",
    BasicArrayTypeInfo: "BASIC_ARRAY",
    ObjectArrayTypeInfo: "OBJECT_ARRAY",
    ListTypeInfo: "LIST",
}
_PLAIN: dict[str, Callable[[], TypeInformation]] = {
    "SQL_DATE": DateTypeInfo,
    "SQL_TIME": TimeTypeInfo,
    "SQL_TIMESTAMP": TimestampTypeInfo,
    "PICKLED_BYTE_ARRAY": PickledBytesTypeInfo,
}
_PLAIN_NAMES: dict[type, str] = {
    DateTypeInfo: "SQL_DATE",
    TimeTypeInfo: "SQL_TIME",
    TimestampTypeInfo: "SQL_TIMESTAMP",
    PickledBytesTypeInfo: "PICKLED_BYTE_ARRAY",
}


def descriptor_of(type_info: TypeInformation) -> Descriptor:
    """Return the JSON of a type, in the words of ``Types``: ``"INT"``, ``["ROW", ["a"], ["INT"]]``.

    Raises:
        TypeError: the type is not one of Wiesel's.
    """
    if isinstance(type_info, BasicTypeInfo):
        return type_info.basic_type.name
    if isinstance(type_info, LocalTimeTypeInfo):
        return type_info.time_type.name
    if isinstance(type_info, RowTypeInfo):
        return ["ROW", type_info.get_field_names(), list(map(descriptor_of, type_info.get_field_types()))]
    if isinstance(type_info, TupleTypeInfo):
        return ["TUPLE", list(map(descriptor_of, type_info.get_field_types()))]
    if isinstance(type_info, MapTypeInfo):
        return ["MAP", descriptor_of(type_info.key_type), descriptor_of(type_info.value_type)]
    if isinstance(type_info, ExternalTypeInfo):
        return descriptor_of(type_info.type_info)
    if type(type_info) in _PLAIN_NAMES:
        return _PLAIN_NAMES[type(type_info)]
    if isinstance(type_info, (PrimitiveArrayTypeInfo, BasicArrayTypeInfo, ObjectArrayTypeInfo, ListTypeInfo)):
        return [_ARRAY_NAMES[type(type_info)], descriptor_of(type_info.element_type)]
    raise TypeError(f"{type_info} cannot be described; use one of Types")


def type_of_descriptor(descriptor: Descriptor) -> TypeInformation:
    """Return the type that ``descriptor_of`` described.

    Raises:
        ValueError: nobody described a type like this.
    """
    match descriptor:
        case str() if descriptor in BasicType.__members__:
            kind = BasicType[descriptor]
            return InstantTypeInfo(kind) if kind is BasicType.INSTANT else BasicTypeInfo(kind)
        case str() if descriptor in LocalTimeTypeInfo.TimeType.__members__:
            return LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType[descriptor])
        case str() if descriptor in _PLAIN:
            return _PLAIN[descriptor]()
        case ["ROW", [*names], [*types]] if len(names) == len(types):
            return RowTypeInfo(list(map(type_of_descriptor, types)), list(names))
        case ["TUPLE", [*types]]:
            return TupleTypeInfo(list(map(type_of_descriptor, types)))
        case ["MAP", key, value]:
            return MapTypeInfo(type_of_descriptor(key), type_of_descriptor(value))
        case [str(name), element] if name in _ARRAYS:
            return _ARRAYS[name](type_of_descriptor(element))
    raise ValueError(f"{descriptor!r} describes no type; the file is damaged or from a newer version")

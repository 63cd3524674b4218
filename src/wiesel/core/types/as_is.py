"""Recognises values that a boundary would hand on unchanged, by one look at all their classes instead of one call each.

Records of a stream are alike: the tuple of their values' classes decides, once for each such tuple, whether they are
what their types say, and which numbers are left to be compared with their bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from wiesel.core.types.base import TypeInformation
from wiesel.core.types.basic import BasicType, BasicTypeInfo

_MAX_PLANS = 64


class AsIs(NamedTuple):
    """Values of exactly this class, from ``low`` to ``high``, are what the type says; no bounds when they are equal."""

    kind: type
    low: float = 0
    high: float = 0


#: The basic types with such values.
AS_IS: dict[BasicType, AsIs] = {
    BasicType.STRING: AsIs(str),
    BasicType.BOOLEAN: AsIs(bool),
    BasicType.DOUBLE: AsIs(float),
    BasicType.BYTE: AsIs(int, -(2**7), 2**7 - 1),
    BasicType.SHORT: AsIs(int, -(2**15), 2**15 - 1),
    BasicType.INT: AsIs(int, -(2**31), 2**31 - 1),
    BasicType.LONG: AsIs(int, -(2**63), 2**63 - 1),
    BasicType.BIG_INT: AsIs(int, -(2**63), 2**63 - 1),
}

# The positions to compare with their bounds; None when values of these classes have to be coerced.
_Plan = tuple[tuple[int, float, float], ...] | None
_UNKNOWN: Any = object()


def as_is_checker(
    types: Sequence[TypeInformation], table: Mapping[BasicType, AsIs] = AS_IS, *, nullable: bool
) -> Callable[[Sequence[Any]], bool]:
    """Return the function that says whether a sequence of values, one for each type, needs no coercion.

    Args:
        types: the declared types, in order.
        table: which values of a basic type are as they should be.
        nullable: whether a value may be None.
    """
    plans: dict[tuple[type, ...], _Plan] = {}

    def is_as_is(values: Sequence[Any]) -> bool:
        classes = tuple(map(type, values))
        plan = plans.get(classes, _UNKNOWN)
        if plan is _UNKNOWN:
            if len(plans) >= _MAX_PLANS:
                plans.clear()
            plan = plans[classes] = _plan(classes, types, table, nullable)
        if plan is None:
            return False
        for index, low, high in plan:
            # Written this way round because NaN is within no bounds.
            if not low <= values[index] <= high:
                break
        else:
            return True
        return False

    return is_as_is


def _plan(
    classes: tuple[type, ...], types: Sequence[TypeInformation], table: Mapping[BasicType, AsIs], nullable: bool
) -> _Plan:
    if len(classes) != len(types):
        return None
    bounds = []
    for index, (found, kind) in enumerate(zip(classes, types, strict=True)):
        if kind.is_identity or (nullable and found is type(None)):
            continue
        rule = table.get(kind.basic_type) if isinstance(kind, BasicTypeInfo) else None
        if rule is None or found is not rule.kind:
            return None
        if rule.low < rule.high:
            bounds.append((index, rule.low, rule.high))
    return tuple(bounds)

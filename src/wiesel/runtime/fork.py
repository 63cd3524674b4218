"""Where an operator has several readers or a side output, each reader gets records of its own, of the declared type.

PyFlink chains an operator with its only reader. Several, those of side outputs among them, are sent to by way of the
JVM, so what one of them does to a record no other one sees, and types are enforced.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.isolation import ATOMS, isolate
from wiesel.core.types import TypeInformation
from wiesel.runtime.inlining import Inline, Step, Target


def own_copy(name: str, reader: Target, type_info: TypeInformation | None, object_reuse: bool) -> Target:
    """Return a chained reader to which what it is given belongs alone; sinks and other tasks see to that themselves.

    Args:
        name: the operator that is read.
        reader: one of several.
        type_info: of the stream, a side output's tag's; None is not enforced.
        object_reuse: ``pipeline.object-reuse``: all get the very object.
    """
    names: dict[str, Any] = {"isolate": isolate}
    if type_info is not None and not type_info.is_identity:
        names["coerce"] = type_info.coercer()
        line = "{result} = {coerce}({value})" if object_reuse else "{result} = {isolate}({coerce}({value}))"
    elif object_reuse:
        return reader
    else:
        names["atoms"] = ATOMS
        line = "{result} = {value} if type({value}) in {atoms} else {isolate}({value})"
    return Step(name, Inline((line,), names), [reader])

"""Members of the API's classes: unknown, removed, not served, without effect, not portable."""

from __future__ import annotations

import ast
from functools import cached_property
from types import FunctionType
from typing import Any

from wiesel.check import api, facts
from wiesel.check.reporter import Reporter
from wiesel.check.values import Callable, Class, Instance, Value
from wiesel.compat.missing_members import hint
from wiesel.compat.old_spellings import OLD_MEMBERS
from wiesel.compat.status import Status, Support


def member(owner: Class | Instance, node: ast.Attribute, reporter: Reporter) -> Value:
    """Return what a class or object has under a name, and report what is to be said of it."""
    cls, name = owner.cls, node.attr
    raw = api.attribute(cls, name)
    old = next((OLD_MEMBERS[key] for base in cls.__mro__ if (key := f"{base.__name__}.{name}") in OLD_MEMBERS), None)
    if raw is api.ABSENT:
        if isinstance(owner, Instance) and facts.EXACT not in owner.facts and api.may_have(cls, name):
            return None
        if old is not None:
            reporter.report("E107", node, f"{cls.__name__}.{name} was {old}.")
        elif name.startswith("_j_"):
            message = f"{cls.__qualname__} has no '{name}': there is no Java object behind it."
            reporter.report("E106", node, message, "Use the Python API, or run the script on Flink.")
        elif not (reporter.portable and name.startswith("_")):  # what PyFlink keeps to itself is not for us to say
            fix = hint(name, api.members(cls))
            reporter.report("E104", node, f"{cls.__qualname__} has no '{name}'.", fix)
        return None
    _report_status(cls, name, api.member_status(cls, name), node, reporter)
    if old is not None:
        code = "P403" if reporter.portable else "W203"
        reporter.report(code, node, f"{cls.__name__}.{name} was {old}.")
    elif reporter.portable and _function(raw) is not None and not api.is_in_pyflink(cls, name):
        reporter.report("P402", node, f"PyFlink's {cls.__qualname__} has no '{name}': it is an extension of Wiesel's.")
    return _value(raw, name, owner)


def not_portable(status: Status | None) -> bool:
    """Whether the compatibility data says of a supported name that it works here only."""
    return status is not None and status.reason.startswith("Not portable")


def _report_status(cls: type, name: str, status: Status | None, node: ast.Attribute, reporter: Reporter) -> None:
    if status is None:
        return
    if status.support is Support.UNSUPPORTED:
        reporter.report("E106", node, f"{cls.__name__}.{name} is not served. {status.reason}", status.instead)
    elif status.support is Support.ACCEPTED:
        reporter.report("I301", node, f"{cls.__name__}.{name} has no effect. {status.reason}", status.instead)
    elif reporter.portable and not_portable(status) and status.declared_for.endswith(f".{name}"):
        reporter.report("P404", node, f"{cls.__name__}.{name} works here only. {status.reason}")


def _function(raw: Any) -> FunctionType | None:
    function = getattr(raw, "__func__", raw)
    return function if isinstance(function, FunctionType) else None


def _value(raw: Any, name: str, owner: Class | Instance) -> Value:
    function = _function(raw)
    if function is not None:
        plain = isinstance(raw, FunctionType)
        bound = isinstance(raw, classmethod) or (plain and isinstance(owner, Instance))
        return Callable(function, name, owner, bound)
    if isinstance(raw, property) and raw.fget is not None and isinstance(owner, Instance):
        return api.annotated(raw.fget.__annotations__.get("return"), raw.fget, owner)
    if isinstance(raw, cached_property):
        return None
    if isinstance(raw, type):
        return Class(raw)
    return Instance(owner.cls) if isinstance(raw, owner.cls) else None  # a constant of an enumeration

"""The API as the checker sees it: our own modules and classes, their annotations, and PyFlink's index beside them.

The script is never imported; Wiesel is. What a call returns is read from the annotations of our classes, so there is
no second description of the API that could lie.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, Self, TypeVar, get_overloads

from wiesel.check.values import Callable, Class, Instance, Unavailable, Value
from wiesel.compat import alias, manifest, names
from wiesel.compat.placeholder import is_placeholder
from wiesel.compat.status import Status, Support, status_of, unavailable_message

ABSENT = object()


def value_of(found: Any, name: str) -> Value:
    """Return what the checker knows of an object of the API."""
    if is_placeholder(found):
        return Unavailable(name, unavailable_message(name))
    if isinstance(found, type):
        return Class(found)
    if isinstance(found, FunctionType):
        return Callable(found, found.__name__)
    return None


@cache
def find(module: str, name: str) -> Any:
    """Return the object behind ``pyflink.<module>.<name>``, which the index must have."""
    return alias.find(module, name)


@cache
def names_of_class(cls: type) -> tuple[str, ...]:
    """Return the names, without ``pyflink.``, under which PyFlink shows a class; empty for classes of ours."""
    return tuple(_shown().get(cls, ()))


@cache
def _shown() -> dict[type, list[str]]:
    shown: dict[type, list[str]] = {}
    for module in manifest.load():
        for name in manifest.load()[module]:
            found = find(module, name)
            if isinstance(found, type):
                for path, cls in _nested(f"{module}.{name}", found):
                    shown.setdefault(cls, []).append(path)
    return shown


def _nested(path: str, cls: type) -> Iterator[tuple[str, type]]:
    yield path, cls
    for name in manifest.members_of(path):
        inner = getattr(cls, name, None)
        if isinstance(inner, type) and not name.startswith("_"):
            yield from _nested(f"{path}.{name}", inner)


def is_in_pyflink(cls: type, member: str) -> bool:
    """Whether PyFlink's class has the member too; True where the manifest does not tell."""
    shown = names_of_class(cls)
    return not shown or member.startswith("_") or any(member in manifest.members_of(name) for name in shown)


def member_status(cls: type, member: str) -> Status | None:
    """Return what the compatibility data says of a member that PyFlink has."""
    for base in cls.__mro__:
        for name in names_of_class(base):
            if member in manifest.members_of(name):
                return status_of(f"{name}.{member}")
    return None


def class_status(cls: type) -> Status | None:
    """Return what the compatibility data says of a class."""
    return next((status_of(name) for name in names_of_class(cls)), None)


def attribute(cls: type, name: str) -> Any:
    """Return what a class holds under a name, unbound; ``ABSENT`` if neither it nor its objects can have it."""
    try:
        return inspect.getattr_static(cls, name)
    except AttributeError:
        if hasattr(type(cls), name):  # what every class has: mro, __name__
            return None
        bases = inspect.getmro(cls) + (() if issubclass(cls, Enum) else inspect.getmro(type(cls)))
        dynamic = any("__getattr__" in base.__dict__ for base in bases)
        return None if dynamic or name in _instance_attributes(cls) else ABSENT


def may_have(cls: type, name: str) -> bool:
    """Whether a class that inherits from this one has a member that it does not have itself."""
    subclasses: list[type] = type.__subclasses__(cls)
    return any(attribute(sub, name) is not ABSENT or may_have(sub, name) for sub in subclasses)


@cache
def _instance_attributes(cls: type) -> frozenset[str]:
    """Return the names that methods of a class and of its bases put on ``self``, and those that it annotates."""
    found: set[str] = set()
    for base in inspect.getmro(cls):
        found.update(inspect.get_annotations(base))
        for raw in base.__dict__.values():
            code = getattr(getattr(raw, "__func__", raw), "__code__", None)
            if code is not None:
                found.update(code.co_names)
    return frozenset(found)


def members(cls: type) -> list[str]:
    """Return the public members of a class, to look for the nearest."""
    return [name for name in dir(cls) if not name.startswith("_")]


# ---------------------------------------------------------------------------------------------------- annotations


def returned(call: Callable, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """Return what a call returns by its annotation; unknown where that leaves a choice."""
    for overload in get_overloads(call.function) or [call.function]:
        if overload is call.function or _fits(overload, [None] * call.bound + arguments, keywords):
            return annotated(overload.__annotations__.get("return"), call.function, call.owner)
    return None


def _fits(overload: Any, arguments: list[Value], keywords: dict[str, Value]) -> bool:
    try:
        bound = inspect.signature(overload).bind(*arguments, **keywords).arguments
    except TypeError:
        return False
    for name, argument in bound.items():
        expected = annotated(overload.__annotations__.get(name), overload, None)
        known = isinstance(argument, Instance)
        if isinstance(expected, Instance) and not (known and issubclass(argument.cls, expected.cls)):
            return False
    return True


def parameter_values(function: Any) -> list[Value]:
    """Return what the parameters of a method of the API will be, by their annotations, without ``self``."""
    return [
        annotated(function.__annotations__.get(name), function, None)
        for name in list(inspect.signature(function).parameters)[1:]
    ]


def annotated(annotation: Any, function: Any, owner: Class | Instance | None) -> Value:
    """Return an object of the class that an annotation names; unknown for everything less simple."""
    if annotation is None:
        return None
    if isinstance(annotation, str):
        try:
            annotation = _named(ast.parse(annotation, mode="eval").body, function)
        except SyntaxError:
            return None
    origin = getattr(annotation, "__origin__", None)
    annotation = origin if isinstance(origin, type) else annotation
    if annotation is Self or (isinstance(annotation, TypeVar) and _is_self(annotation, function)):
        if isinstance(owner, Instance):
            return owner
        return Instance(owner.cls) if owner is not None else None
    if isinstance(annotation, type) and annotation.__module__.startswith("wiesel."):
        return Instance(annotation)
    return None


def _is_self(variable: TypeVar, function: Any) -> bool:
    first = next(iter(inspect.signature(function).parameters), None)
    return first is not None and function.__annotations__.get(first) == variable.__name__


def _named(node: ast.expr, function: Any) -> Any:
    """Return the object that an annotation's expression names, or None."""
    match node:
        case ast.Name(id=name):
            here = function.__globals__
            return here[name] if name in here else _for_type_checkers(function.__module__).get(name)
        case ast.Attribute(value=value, attr=attr):
            return getattr(_named(value, function), attr, None)
        case ast.Subscript(value=value):
            found = _named(value, function)
            return found if isinstance(found, type) and found.__module__.startswith("wiesel.") else None
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            sides = [side for side in (left, right) if not (isinstance(side, ast.Constant) and side.value is None)]
            return _named(sides[0], function) if len(sides) == 1 else None
    return None


@cache
def _for_type_checkers(module: str) -> dict[str, Any]:
    """Return the names that a module imports under ``if TYPE_CHECKING``."""
    import sys
    from importlib import import_module

    found: dict[str, Any] = {}
    source: ModuleType = sys.modules[module]
    for node in ast.parse(inspect.getsource(source)).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                if isinstance(statement, ast.ImportFrom) and statement.module:
                    home = import_module(statement.module)
                    found.update((a.asname or a.name, getattr(home, a.name, None)) for a in statement.names)
    return found


def is_unserved(module: str) -> bool:
    """Whether Wiesel serves nothing of a module of PyFlink's."""
    status = status_of(module)
    return status is not None and status.support is Support.UNSUPPORTED


def has_module(module: str) -> bool:
    """Whether PyFlink has a module."""
    return names.is_module(module)

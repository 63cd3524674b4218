"""What the checker knows of a value without running anything; unknown is ``None``, of which it says nothing."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Module:
    """A module: ``root`` is ``pyflink`` or ``wiesel``, ``path`` what follows it."""

    root: str
    path: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the API."""

    cls: type


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the API, with what else is known of it (``facts.py``)."""

    cls: type
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Callable:
    """A function of the API's, or a method with the class or object it was taken from.

    Args:
        function: the plain function.
        name: its name.
        owner: the class or object.
        bound: whether the call itself gives the first parameter.
    """

    function: Any
    name: str
    owner: Class | Instance | None = None
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A name that resolves and raises when it is used."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class UserFunction:
    """A function or lambda of the script."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, eq=False)
class UserClass:
    """A class of the script.

    Args:
        node: its definition.
        bases: the API's classes that it inherits from, nearest first.
        complete: whether all its bases are known, so that it has no method but those in sight.
        attributes: what its methods put on ``self``, filled while they are read.
    """

    node: ast.ClassDef
    bases: tuple[type, ...]
    complete: bool
    attributes: dict[str, Value] = field(default_factory=dict)

    def methods(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the methods that it defines itself."""
        return {n.name: n for n in self.node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


@dataclass(frozen=True, slots=True)
class UserInstance:
    """An object of a class of the script."""

    cls: UserClass


Value: TypeAlias = Module | Class | Instance | Callable | Unavailable | UserFunction | UserClass | UserInstance | None


def join(one: Value, other: Value) -> Value:
    """Return what is known of a value that is one or the other."""
    if one == other:
        return one
    if isinstance(one, Instance) and isinstance(other, Instance) and one.cls is other.cls:
        return Instance(one.cls, one.facts & other.facts)
    return None

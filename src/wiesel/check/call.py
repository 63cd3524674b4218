"""A call of the API with its arguments by the names of their parameters, as rules look at it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass

from wiesel.check.values import Callable, Class, Instance, Value


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Args:
        node: the call in the script's tree.
        owner: what the method was taken from.
        name: the method's name.
        arguments: by parameter, the expression and what is known of it.
    """

    node: ast.Call
    owner: Class | Instance | None
    name: str
    arguments: dict[str, tuple[ast.expr, Value]]

    @staticmethod
    def of(node: ast.Call, called: Callable, positional: list[Value], keywords: dict[str | None, Value]) -> Call:
        """Return the call; its arguments fit the function."""
        names = list(inspect.signature(called.function).parameters.values())[int(called.bound) :]
        arguments: dict[str, tuple[ast.expr, Value]] = {}
        for i, (expression, value) in enumerate(zip(node.args, positional, strict=True)):
            variable = i >= len(names) or names[i].kind is inspect.Parameter.VAR_POSITIONAL
            arguments[f"*{i}" if variable else names[i].name] = expression, value
        for keyword in node.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = keyword.value, keywords[keyword.arg]
        return Call(node, called.owner, called.name, arguments)

    def of_class(self, name: str) -> bool:
        """Whether the method belongs to a class of that name, or to one that inherits from it."""
        return self.owner is not None and any(base.__name__ == name for base in self.owner.cls.__mro__)

    def value(self, parameter: str) -> Value:
        """Return what is known of an argument; None where nothing is, or it was not given."""
        return self.arguments[parameter][1] if parameter in self.arguments else None

    @property
    def facts(self) -> frozenset[str]:
        """What is known of the object that the method is called on."""
        return self.owner.facts if isinstance(self.owner, Instance) else frozenset()

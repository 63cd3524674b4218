"""Functions of a job that change what belongs to the script: they work on copies, in other processes on a cluster."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from wiesel.check.reporter import Reporter
from wiesel.check.values import UserFunction, UserInstance, Value

_MUTABLE: Final = {"list", "dict", "set", "Counter", "defaultdict", "deque", "OrderedDict", "bytearray"}
_CHANGES: Final = {
    "append", "appendleft", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard",
    "clear", "sort", "reverse",
}  # fmt: skip


def look(function: Value, tree: ast.Module, reporter: Reporter) -> None:
    """Report what a function, or an object with functions, changes in vain."""
    if isinstance(function, UserFunction):
        body: ast.AST = function.node
    elif isinstance(function, UserInstance):
        body = function.cls.node
    else:
        return
    for name, statement in _assigned_globals(body):
        _report(name, "assigns to", statement, reporter)
    for name, expression in _changed(body):
        if _belongs_to_the_script(name, body, tree):
            _report(name, "puts into", expression, reporter)


def _report(name: str, does: str, node: ast.expr | ast.stmt, reporter: Reporter) -> None:
    reporter.report(
        "W205",
        node,
        f"The job works on a copy of this function: the script never sees what it {does} '{name}'.",
        "Keep it in state, or emit it.",
    )


def _assigned_globals(body: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(body):
        if isinstance(node, ast.Global):
            for name in node.names:
                yield name, node


def _changed(body: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names of which a method that changes them is called, or an element is assigned."""
    for node in ast.walk(body):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if attribute in _CHANGES:
                yield name, node
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                yield name, node


def _belongs_to_the_script(name: str, body: ast.AST, tree: ast.Module) -> bool:
    """Whether a name is bound once, outside of the body, to something that can change, and read outside of it, too.

    What only the body reads is its cache: a copy of its own is as good.
    """
    inside = set(map(id, ast.walk(body)))
    outside = [node for node in ast.walk(tree) if id(node) not in inside]
    bound = [node for node in ast.walk(tree) if _binds(node, name)]
    values = [
        node.value
        for node in outside
        if isinstance(node, ast.Assign | ast.AnnAssign) and _targets(node) == [name] and node.value is not None
    ]
    if len(bound) != 1 or len(values) != 1 or not _is_mutable(values[0]):
        return False
    changed = {id(node.value) for node in outside if isinstance(node, ast.Attribute) and node.attr in _CHANGES}
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in changed
        for node in outside
    )


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=bound, ctx=ast.Store()) | ast.arg(arg=bound) | ast.alias(name=bound):
            return bound == name
    return False


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in _MUTABLE
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)

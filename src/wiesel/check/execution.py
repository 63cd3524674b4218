"""A program that is built and never executed: the commonest way for a script to do nothing at all."""

from __future__ import annotations

import ast
from typing import Final

from wiesel.check.reporter import Reporter

_EXECUTES: Final = {"execute", "execute_async", "execute_and_collect", "get_execution_plan"}
_SINKS: Final = {"print", "sink_to", "add_sink"}


def look(tree: ast.Module, reporter: Reporter) -> None:
    """Report an environment with sinks that nobody executes and nobody else gets to see."""
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    if attributes & _EXECUTES or not attributes & _SINKS:
        return
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _makes_environment(node.value)]
    names = {target.id for node in made for target in node.targets if isinstance(target, ast.Name)}
    only_asked = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    loads = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    if any(node.id in names and id(node) not in only_asked for node in loads):
        return  # somebody else has it, who may execute it
    if len(made) == 1 and names:
        message = "The program is never executed: what was built does nothing."
        reporter.report("W207", made[0], message, f"End with {names.pop()}.execute().")


def _makes_environment(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and node.func.attr == "get_execution_environment"  # type: ignore[attr-defined]

"""What an expression is, and what is to be said of the names, members and calls in it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable as Function
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from wiesel.check import api, facts, members, traps
from wiesel.check.call import Call
from wiesel.check.imports import name_in
from wiesel.check.reporter import Reporter
from wiesel.check.scope import Scope
from wiesel.check.values import (
    Callable,
    Class,
    Instance,
    Module,
    Unavailable,
    UserClass,
    UserFunction,
    UserInstance,
    Value,
    join,
)

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Expressions:
    """Evaluates expressions of one script in the scope that is read just now."""

    def __init__(self, reporter: Reporter, scope: Function[[], Scope]) -> None:
        self._reporter = reporter
        self._outer = scope
        self._inner: list[Scope] = []
        self._guarded: set[str] = set()

    @property
    def _scope(self) -> Scope:
        return self._inner[-1] if self._inner else self._outer()

    # ---------------------------------------------------------------------------------------- for the walker

    def quietly(self, node: ast.expr) -> Value:
        """Evaluate something that was evaluated before."""
        with self._reporter.muted():
            return self.evaluate(node)

    def annotation(self, node: ast.expr | None) -> Value:
        """Return an object of the class that an annotation of the script's names."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return None
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        found = self.quietly(node)
        if isinstance(found, UserClass):
            return UserInstance(found)
        return Instance(found.cls) if isinstance(found, Class) else None

    def entered(self, manager: Value) -> Value:
        """Return what ``with`` binds for a context manager."""
        if not isinstance(manager, Instance):
            return None
        function = api.attribute(manager.cls, "__enter__")
        return api.annotated(function.__annotations__.get("return"), function, manager) if function else None

    @contextmanager
    def guarded_by(self, test: ast.expr) -> Iterator[None]:
        """Say nothing of members that the script asks for with ``hasattr`` first."""
        asked = {
            str(node.args[1].value)
            for node in ast.walk(test)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "hasattr"
            and len(node.args) == 2
            and isinstance(node.args[1], ast.Constant)
        }
        before, self._guarded = self._guarded, self._guarded | asked
        yield
        self._guarded = before

    # ------------------------------------------------------------------------------------------- expressions

    def evaluate(self, node: ast.expr) -> Value:
        """Return what is known of an expression, and report what is wrong in it."""
        match node:
            case ast.Name(id=name):
                return self._scope.look_up(name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.Lambda():
                return self._lambda(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test)
                with self.guarded_by(test):
                    return join(self.evaluate(body), self.evaluate(orelse))
            case ast.BoolOp(values=values):
                with self.guarded_by(node):
                    for value in values:
                        self.evaluate(value)
            case ast.NamedExpr(target=target, value=value):
                found = self.evaluate(value)
                self._scope.bind(target.id, found)
                return found
            case ast.Subscript(value=value, slice=index):
                found = self.evaluate(value)
                self.evaluate(index)
                if isinstance(found, Unavailable):
                    self._reporter.report("E106", value, found.message)
                return found if isinstance(found, Class) else None
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.evaluate(child)
        return None

    def _lambda(self, node: ast.Lambda) -> Value:
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        names += [a.arg for a in (node.args.vararg, node.args.kwarg) if a is not None]
        self._within(names, [node.body])
        return UserFunction(node)

    def _comprehension(self, node: _Comprehension) -> None:
        names = [n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)]
        parts: list[ast.expr] = [part for g in node.generators for part in (g.iter, *g.ifs)]
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._within(names, parts + results)

    def _within(self, names: list[str], parts: list[ast.expr]) -> None:
        inner = Scope(self._scope)
        inner.current = {**self._scope.current, **dict.fromkeys(names)}
        self._inner.append(inner)
        for part in parts:
            self.evaluate(part)
        self._inner.pop()

    # ----------------------------------------------------------------------------------- members and calls

    def _attribute(self, node: ast.Attribute) -> Value:
        owner = self.evaluate(node.value)
        match owner:
            case Module(root, path):
                return name_in(root, path, node.attr, node, self._reporter)
            case Unavailable(message=message):
                self._reporter.report("E106", node.value, message)
            case Class() | Instance() if node.attr not in self._guarded:
                if isinstance(node.ctx, ast.Load):
                    return members.member(owner, node, self._reporter)
            case UserInstance(cls) if node.attr in cls.attributes:
                return cls.attributes[node.attr]
        return None

    def _call(self, node: ast.Call) -> Value:
        called = self.evaluate(node.func)
        arguments = [self.evaluate(argument) for argument in node.args]
        keywords = {keyword.arg: self.evaluate(keyword.value) for keyword in node.keywords}
        match called:
            case Unavailable(message=message):
                self._reporter.report("E106", node.func, message)
            case Class(cls):
                if not issubclass(cls, Enum):
                    self._fits(node, cls, cls.__name__, 0)
                status = api.class_status(cls)
                if status is not None and members.not_portable(status):
                    code = "P404" if self._reporter.portable else "W203"
                    self._reporter.report(code, node.func, f"{cls.__name__} works here only. {status.reason}")
                return Instance(cls, frozenset({facts.EXACT}))
            case Callable(function=function, name=name, bound=bound):
                if not self._fits(node, function, name, int(bound)):
                    return None
                result = api.returned(called, arguments, {str(name): value for name, value in keywords.items()})
                call = Call.of(node, called, arguments, keywords)
                traps.look(call, self._reporter)
                return facts.of_result(call, result)
            case UserClass():
                return UserInstance(called)
            case UserFunction(node=ast.FunctionDef(returns=returns)):
                return self.annotation(returns)
        return None

    def _fits(self, node: ast.Call, function: Any, name: str, given: int) -> bool:
        """Report arguments that the function does not take; says whether they fit, as far as can be seen."""
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            return False
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            return False
        try:
            signature.bind(*[None] * (given + len(node.args)), **{str(k.arg): None for k in node.keywords})
        except TypeError as error:
            parameters = list(signature.parameters.values())[given:]
            shown = ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)
            self._reporter.report("E105", node.func, f"{name}(): {error}.", f"It is {name}({shown}).")
            return False
        return True

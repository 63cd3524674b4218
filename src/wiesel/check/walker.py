"""Reads a script statement by statement and knows at each what its names stand for.

Only what is certain is kept: where two ways meet and disagree, where a loop or another module has a say, a value
becomes unknown, and of the unknown no rule says anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from wiesel.check import api
from wiesel.check.expressions import Expressions
from wiesel.check.imports import bind_imports
from wiesel.check.reporter import Reporter
from wiesel.check.scope import Scope
from wiesel.check.values import Class, Instance, Unavailable, UserClass, UserFunction, UserInstance, Value

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_ATTRIBUTE_ERRORS = {"AttributeError", "NotImplementedError"}


class Walker:
    """Walks one script; rules report through ``reporter``."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._scope = Scope()
        self._expressions = Expressions(reporter, lambda: self._scope)
        #: Bodies of functions, read when all around them has been.
        self._later: list[Callable[[], None]] = []

    def walk(self, tree: ast.Module) -> None:
        """Read a whole script."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Global | ast.Nonlocal):
                self._scope.shared.update(node.names)
        self._block(tree.body)
        while self._later:
            self._later.pop(0)()

    # ------------------------------------------------------------------------------------------ statements

    def _block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                bind_imports(node, self._scope, self._reporter)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node)
            case ast.ClassDef():
                self._define_class(node)
            case ast.Assign(targets=targets, value=value):
                found = self._evaluate(value)
                for target in targets:
                    self._bind(target, found, value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                declared = self._expressions.annotation(annotation)
                found = self._evaluate(value) if value is not None else None
                self._bind(target, None if _is_any(annotation) else declared or found, value)
            case ast.AugAssign(target=target, value=value):
                self._evaluate(value)
                self._bind(target, None, None)
            case ast.If(test=test, body=body, orelse=orelse):
                self._evaluate(test)
                with self._expressions.guarded_by(test):
                    self._branches(body, orelse)
            case (
                ast.For(target=target, iter=iterable, body=body, orelse=orelse)
                | ast.AsyncFor(target=target, iter=iterable, body=body, orelse=orelse)
            ):
                self._evaluate(iterable)
                self._loop(target, body, orelse)
            case ast.While(test=test, body=body, orelse=orelse):
                self._loop(None, body, orelse, test)
            case ast.Try():
                self._try(node)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    found = self._evaluate(item.context_expr)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, self._expressions.entered(found), None)
                self._block(body)
            case ast.Match(subject=subject, cases=cases):
                self._evaluate(subject)
                self._forget(assigned(case for case in cases))
                for case in cases:
                    before = dict(self._scope.current)
                    self._block(case.body)
                    self._scope.merge(before, self._scope.current)
            case ast.Delete(targets=targets):
                self._forget(target.id for target in targets if isinstance(target, ast.Name))
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._evaluate(child)

    def _branches(self, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        before = dict(self._scope.current)
        self._block(body)
        after_body, self._scope.current = self._scope.current, before
        before = dict(before)
        self._block(orelse)
        if body and isinstance(body[-1], _LEAVES):
            return
        if orelse and isinstance(orelse[-1], _LEAVES):
            self._scope.current = after_body
            return
        self._scope.merge(after_body, self._scope.current)

    def _loop(
        self, target: ast.expr | None, body: list[ast.stmt], orelse: list[ast.stmt], test: ast.expr | None = None
    ) -> None:
        # In its second round a loop sees what its first one assigned.
        self._forget(assigned(body))
        if target is not None:
            self._bind(target, None, None)
        if test is not None:
            self._evaluate(test)
        before = dict(self._scope.current)
        self._block(body)
        self._scope.merge(before, self._scope.current)
        self._block(orelse)

    def _try(self, node: ast.Try) -> None:
        caught = {name for handler in node.handlers for name in _caught(handler)}
        before = dict(self._scope.current)
        with self._reporter.silenced(imports=bool(caught & _IMPORT_ERRORS), members=bool(caught & _ATTRIBUTE_ERRORS)):
            self._block(node.body)
        self._block(node.orelse)
        after = self._scope.current
        for handler in node.handlers:
            self._scope.current = dict(before)
            self._forget(assigned(node.body))
            if handler.name is not None:
                self._scope.bind(handler.name, None)
            with self._reporter.silenced(imports=bool(caught & _IMPORT_ERRORS), members=False):
                self._block(handler.body)
            if not (handler.body and isinstance(handler.body[-1], _LEAVES)):
                self._scope.merge(after, self._scope.current)
                after = self._scope.current
        self._scope.current = after
        self._block(node.finalbody)

    def _evaluate(self, node: ast.expr) -> Value:
        return self._expressions.evaluate(node)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._scope.bind(name, None)

    def _bind(self, target: ast.expr, value: Value, source: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self._scope.bind(name, value)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                sources = source.elts if isinstance(source, ast.Tuple | ast.List) else []
                paired = sources if len(sources) == len(targets) else [None] * len(targets)
                for inner, part in zip(targets, paired, strict=True):
                    self._bind(inner, self._expressions.quietly(part) if part is not None else None, part)
            case ast.Starred(value=inner):
                self._bind(inner, None, None)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                owner = self._scope.look_up(name)
                if isinstance(owner, UserInstance) and isinstance(source, ast.Constant) and source.value is None:
                    pass  # a place for what open() will put there
                elif isinstance(owner, UserInstance):
                    known = owner.cls.attributes
                    known[attribute] = value if known.get(attribute, value) == value else None
                else:
                    self._evaluate(target.value)
            case _:
                for child in ast.iter_child_nodes(target):
                    if isinstance(child, ast.expr):
                        self._evaluate(child)

    # ---------------------------------------------------------------------------------- functions and classes

    def _define(self, node: _Function, own: Value = None) -> None:
        for decorator in node.decorator_list:
            self._evaluate(decorator)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self._evaluate(default)
        plain = not node.decorator_list
        self._scope.bind(node.name, UserFunction(node) if plain else None)
        parent = self._scope
        self._later.append(lambda: self._body(node, parent, [], own))

    def _body(self, node: _Function, parent: Scope, given: list[Value], own: Value = None) -> None:
        """Read the body of a function whose first parameters are known, as far as they are."""
        outside, self._scope = self._scope, Scope(parent)
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        values: list[Value] = [own, *given] if own is not None else given
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            position = names.index(argument.arg) if argument.arg in names else len(values)
            known = values[position] if position < len(values) else None
            declared = self._expressions.annotation(argument.annotation) if argument.annotation is not None else None
            self._scope.bind(argument.arg, declared or known)
        for variable in (node.args.vararg, node.args.kwarg):
            if variable is not None:
                self._scope.bind(variable.arg, None)
        self._block(node.body)
        self._scope = outside

    def _define_class(self, node: ast.ClassDef) -> None:
        bases: list[type] = []
        complete = not node.keywords
        for base in node.bases:
            match self._evaluate(base):
                case Class(cls):
                    bases.append(cls)
                case UserClass(bases=inherited):
                    bases += inherited
                    complete = False
                case Unavailable(message=message):
                    self._reporter.report("E106", base, message)
                    complete = False
                case _:
                    complete = complete and isinstance(base, ast.Name) and base.id == "object"
        found = UserClass(node, tuple(bases), complete and not node.decorator_list)
        self._scope.bind(node.name, found if not node.decorator_list else None)
        self._reporter.class_defined(found)
        outside, self._scope = self._scope, Scope(self._scope)
        for statement in node.body:
            if isinstance(statement, _Function):
                self._scope.bind(statement.name, None)
            else:
                self._statement(statement)
        self._scope = outside
        parent = self._scope
        self._later.append(lambda: self._methods(found, parent))

    def _methods(self, cls: UserClass, parent: Scope) -> None:
        """Read the methods twice: the first time only to see what they put on ``self``."""
        methods = cls.methods()
        for muted in (True, False):
            with self._reporter.muted(muted):
                waiting = len(self._later)
                for method in sorted(methods.values(), key=lambda m: m.name not in ("__init__", "open")):
                    decorated = {d.id for d in method.decorator_list if isinstance(d, ast.Name)}
                    own = None if decorated & {"staticmethod", "classmethod"} else UserInstance(cls)
                    self._body(method, parent, self._overridden(cls, method.name), own)
                if muted:
                    del self._later[waiting:]

    def _overridden(self, cls: UserClass, name: str) -> list[Value]:
        for base in cls.bases:
            function = api.attribute(base, name)
            if hasattr(function, "__annotations__") and not name.startswith("__"):
                return [v if isinstance(v, Instance) else None for v in api.parameter_values(function)]
        return []


def _is_any(annotation: ast.expr) -> bool:
    return getattr(annotation, "attr", getattr(annotation, "id", None)) == "Any"


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {kind.id if isinstance(kind, ast.Name) else getattr(kind, "attr", "") for kind in kinds}


def assigned(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the names that statements bind, without those of functions and classes inside them."""
    found: list[str] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.append(node.id)
        elif isinstance(node, _Function | ast.ClassDef):
            found.append(node.name)
            continue
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
            found.append(node.name)
        elif isinstance(node, ast.Lambda):
            continue
        waiting += ast.iter_child_nodes(node)
    return found

"""What a script imports: unknown modules and names, old spellings, and what is Wiesel's own."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec

from wiesel.check import api
from wiesel.check.reporter import Reporter
from wiesel.check.scope import Scope
from wiesel.check.values import Module, Value
from wiesel.compat import alias, names
from wiesel.compat.missing_members import hint, is_of_java
from wiesel.compat.nearest import did_you_mean
from wiesel.compat.old_spellings import OLD_SPELLINGS
from wiesel.compat.status import unavailable_message

_ROOTS = ("pyflink", "wiesel")
#: Parts of PyFlink that run it, which are no API and of which the index has nothing.
_MACHINERY = {"fn_execution", "serializers", "testing", "shell", "find_flink_home", "gen_protos", "proto", "utils"}


def bind_imports(node: ast.Import | ast.ImportFrom, scope: Scope, reporter: Reporter) -> None:
    """Bind the names of an import, and report those that are not there."""
    if isinstance(node, ast.Import):
        for entry in node.names:
            root, _, path = entry.name.partition(".")
            known = root in _ROOTS and _has_module(root, path, entry, reporter)
            bound = Module(root, path if entry.asname else "") if known else None
            scope.bind(entry.asname or root, bound)
        return
    root, _, path = (node.module or "").partition(".")
    if node.level or root not in _ROOTS:
        for entry in node.names:
            if entry.name != "*":
                scope.bind(entry.asname or entry.name, None)
        return
    found = _has_module(root, path, node, reporter)
    for entry in node.names:
        if entry.name == "*":
            for name in _all(root, path) if found else ():
                scope.bind(name, value_in(root, path, name))
        else:
            value = name_in(root, path, entry.name, entry, reporter) if found else None
            scope.bind(entry.asname or entry.name, value)


def name_in(root: str, path: str, name: str, node: ast.alias | ast.Attribute, reporter: Reporter) -> Value:
    """Return what a module has under a name, and report what is to be said of it."""
    module = f"{root}.{path}".rstrip(".")
    if root == "wiesel":
        return _own(module, path, name, node, reporter)
    if name in names.children_of(path):
        return Module(root, f"{path}.{name}".lstrip("."))
    if not names.has_name(path, name):
        if not name.startswith("__"):
            own = alias.own_name(path, name)
            _report_unknown(module, path, name, own, node, reporter)
        return None
    old = OLD_SPELLINGS.get(f"{path}.{name}")
    if old is not None:
        fix = f"Use pyflink.{old.home}." if old.home else ""
        code = "P403" if reporter.portable else "W203"
        reporter.report(code, node, f"{module}.{name} was {old.note}.", fix)
    return value_in(root, path, name)


def value_in(root: str, path: str, name: str) -> Value:
    """Return what a module has under a name that it does have."""
    if root == "pyflink":
        return api.value_of(api.find(path, name), f"{path}.{name}")
    return api.value_of(getattr(import_module(f"{root}.{path}".rstrip(".")), name, None), f"{path}.{name}")


def _report_unknown(
    module: str, path: str, name: str, own: bool, node: ast.alias | ast.Attribute, reporter: Reporter
) -> None:
    if own:
        ours = f"wiesel.{path}".rstrip(".")
        reporter.report("E103", node, f"'{name}' is Wiesel's own: PyFlink has no such name.", f"Import it from {ours}.")
        return
    if api.is_unserved(path) and not is_of_java(name):
        reporter.report("E106", node, unavailable_message(path))
        return
    elsewhere = [other for other in names.all_modules() if name in names.names_of(other)]
    fix = f"It is in pyflink.{min(elsewhere, key=len)}." if elsewhere else ""
    if not fix:
        fix = hint(name, {*names.names_of(path), *names.homes_of(path), *names.children_of(path)})
    reporter.report("E102", node, f"{module} has no name '{name}'.", fix)


def _own(module: str, path: str, name: str, node: ast.alias | ast.Attribute, reporter: Reporter) -> Value:
    found = getattr(import_module(module), name, None)
    if found is None and _is_own_module(f"{module}.{name}"):
        return Module("wiesel", f"{path}.{name}".lstrip("."))
    if found is None and not hasattr(import_module(module), name):
        candidates = getattr(import_module(module), "__all__", dir(import_module(module)))
        reporter.report("E102", node, f"{module} has no name '{name}'.", did_you_mean(name, candidates).strip())
        return None
    if reporter.portable:
        portable = names.is_module(path) and names.has_name(path, name)
        fix = f"Import it from pyflink.{path}." if portable else ""
        reporter.report("P401", node, f"{module}.{name} is Wiesel's own and not on a Flink cluster.", fix)
    return api.value_of(found, f"{path}.{name}")


def _has_module(root: str, path: str, node: ast.alias | ast.ImportFrom, reporter: Reporter) -> bool:
    if root == "wiesel":
        module = f"{root}.{path}".rstrip(".")
        known = _is_own_module(module)
        if not known:
            reporter.report("E101", node, f"There is no module {module}.")
        elif reporter.portable and isinstance(node, ast.alias):
            reporter.report("P401", node, f"{module} is Wiesel's own and not on a Flink cluster.")
        return known
    if api.has_module(path):
        return True
    parent, _, name = path.rpartition(".")
    if api.has_module(parent) and names.has_name(parent, name) and isinstance(node, ast.alias):
        fix = f"Write: from pyflink.{parent} import {name}"
        reporter.report("E101", node, f"pyflink.{path} is no module but a name.", fix)
        return False
    if _is_own_module(f"wiesel.{path}"):
        reporter.report("E103", node, f"PyFlink has no module pyflink.{path}.", f"Import it from wiesel.{path}.")
    elif _MACHINERY & set(path.split(".")) or api.is_unserved(path.partition(".")[0]):
        reporter.report("E106", node, f"pyflink.{path} is a part of PyFlink's own that Wiesel does not have.")
    else:
        fix = did_you_mean(f"pyflink.{path}", [f"pyflink.{m}" for m in names.all_modules() if m]).strip()
        reporter.report("E101", node, f"There is no module pyflink.{path}.", fix)
    return False


def _is_own_module(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # what is around it is no package
        return False


def _all(root: str, path: str) -> list[str]:
    if root == "pyflink":
        return sorted(names.names_of(path))
    module = import_module(f"{root}.{path}".rstrip("."))
    return list(getattr(module, "__all__", ()))

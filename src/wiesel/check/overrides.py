"""Classes of the script that inherit from the API's: methods that will be called otherwise than they are written."""

from __future__ import annotations

import ast
import inspect
from typing import Any, Final

from wiesel.check import api
from wiesel.check.reporter import Reporter
from wiesel.check.values import UserClass

_STATE: Final = {"get_state", "get_list_state", "get_map_state", "get_reducing_state", "get_aggregating_state"}
_Method = ast.FunctionDef | ast.AsyncFunctionDef


#: Where the contracts are whose methods the engine calls as they are; schemas and sinks are called by their own rules.
_CONTRACTS: Final = {"wiesel.core.functions", "wiesel.core.async_functions", "wiesel.core.watermarks"}


def look(cls: UserClass, reporter: Reporter) -> None:
    """Report what a class of functions promises and will not keep."""
    _schema(cls, reporter)
    for name, method in cls.methods().items():
        contract = next((f for base in cls.bases if inspect.isfunction(f := api.attribute(base, name))), None)
        if contract is None or contract.__module__ not in _CONTRACTS or method.decorator_list:
            continue
        _arguments(cls, method, contract, reporter)
        kinds = {base.__name__ for known in cls.bases for base in known.__mro__}
        if "AggregateFunction" in kinds and name in ("open", "close"):
            message = f"{name}() of an AggregateFunction is never called, in PyFlink and here."
            reporter.report("W206", method, message, "Make what it needs in create_accumulator().")
        if name == "open" and any(base.__name__ == "ProcessFunction" for base in cls.bases):
            _state(method, reporter)


def _schema(cls: UserClass, reporter: Reporter) -> None:
    bases = {base.__name__ for base in cls.bases}
    method = cls.methods().get("serialize") or cls.methods().get("deserialize")
    if reporter.portable and method is not None and bases & {"SerializationSchema", "DeserializationSchema"}:
        message = "PyFlink cannot run a schema that is written in Python: it wraps one of Java's."
        reporter.report("P406", method, message, "Use ByteArraySchema and a map() beside the source or sink.")


def _arguments(cls: UserClass, method: _Method, contract: Any, reporter: Reporter) -> None:
    given = len([p for p in inspect.signature(contract).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD])
    if any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(contract).parameters.values()):
        return
    taken = [*method.args.posonlyargs, *method.args.args]
    required = len(taken) - len(method.args.defaults)
    keywords = [a for a, d in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True) if d is None]
    fits = required <= given and (method.args.vararg is not None or given <= len(taken)) and not keywords
    if not fits:
        base = next(b.__name__ for b in cls.bases if api.attribute(b, method.name) is contract)
        shown = ", ".join(inspect.signature(contract).parameters)
        message = f"{base}.{method.name} is called with {given - 1} arguments and takes {len(taken) - 1} here."
        reporter.report("E206", method, message, f"Write: def {method.name}({shown})")


def _state(method: _Method, reporter: Reporter) -> None:
    if len(method.args.args) < 2:
        return
    context = method.args.args[1].arg
    for node in ast.walk(method):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr) as func) if name == context:
                if attr in _STATE:
                    message = "A ProcessFunction runs on streams without keys, where there is no keyed state."
                    reporter.report("E205", func, message, "Inherit from KeyedProcessFunction, behind key_by().")

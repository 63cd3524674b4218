"""Operators, and the one table from an operator's spec to what runs it."""

from __future__ import annotations

from typing import Any

from wiesel.core import operator_specs as specs
from wiesel.runtime.operators.base import Operator, OperatorContext, emitter

__all__ = ["Operator", "OperatorContext", "create_operator", "emitter"]

#: Spec class → (module of the operator, its class); modules are imported when a job needs them.
_OPERATORS: dict[type[Any], tuple[str, str]] = {
    specs.MapSpec: ("stateless", "MapOperator"),
    specs.FlatMapSpec: ("stateless", "FlatMapOperator"),
    specs.FilterSpec: ("stateless", "FilterOperator"),
    specs.ProcessSpec: ("stateless", "ProcessOperator"),
    specs.KeyedProcessSpec: ("keyed", "KeyedProcessOperator"),
    specs.KeyedCoProcessSpec: ("keyed", "KeyedCoProcessOperator"),
    specs.IntervalJoinSpec: ("interval_join", "IntervalJoinOperator"),
    specs.CoProcessSpec: ("two_input", "CoProcessOperator"),
    specs.BroadcastProcessSpec: ("two_input", "BroadcastOperator"),
    specs.TimestampsSpec: ("timestamps", "TimestampsOperator"),
    specs.AsyncWaitSpec: ("async_wait", "AsyncWaitOperator"),
    specs.WindowSpec: ("window", "WindowOperator"),
    specs.SinkSpec: ("sink", "SinkOperator"),
}


def create_operator(spec: Any) -> Operator:
    """Return the operator that runs ``spec``; its user functions are unpickled here."""
    from importlib import import_module

    module, name = _OPERATORS[type(spec)]
    operator: Operator = getattr(import_module(f"{__name__}.{module}"), name)(spec)
    return operator

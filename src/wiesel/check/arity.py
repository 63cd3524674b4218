"""Functions of the script that take more or fewer arguments than an operator gives them."""

from __future__ import annotations

import ast
from typing import Final

from wiesel.check.call import Call
from wiesel.check.reporter import Reporter
from wiesel.check.values import UserFunction

#: What is given to the function in each parameter, by method.
_GIVEN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "map": {"func": ("a record",)},
    "flat_map": {"func": ("a record",)},
    "filter": {"func": ("a record",)},
    "key_by": {"key_selector": ("a record",)},
    "reduce": dict.fromkeys(("func", "reduce_function"), ("the result so far", "a record")),
    "partition_custom": {"partitioner": ("a key", "the number of partitions"), "key_selector": ("a record",)},
}


def look(call: Call, reporter: Reporter) -> None:
    """Report a function or lambda that cannot be called with what the operator gives."""
    if not any(call.of_class(stream) for stream in ("DataStream", "WindowedStream", "AllWindowedStream")):
        return
    for parameter, given in _GIVEN[call.name].items():
        function = call.value(parameter)
        if isinstance(function, UserFunction) and not _takes(function, len(given)):
            what = " and ".join(given)
            reporter.report(
                "E209",
                call.arguments[parameter][0],
                f"{call.name}() calls its function with {what}; this one takes {_taken(function)}.",
                f"Give it {len(given)} parameter{'s'[: len(given) - 1]}.",
            )


def _takes(function: UserFunction, given: int) -> bool:
    node = function.node
    if not isinstance(node, ast.Lambda) and node.decorator_list:
        return True  # whatever the decorator makes of it
    arguments = node.args
    taken = len(arguments.posonlyargs) + len(arguments.args)
    needed_by_name = any(default is None for default in arguments.kw_defaults)
    enough = given >= taken - len(arguments.defaults)
    return enough and (given <= taken or arguments.vararg is not None) and not needed_by_name


def _taken(function: UserFunction) -> str:
    return f"({ast.unparse(function.node.args)})"

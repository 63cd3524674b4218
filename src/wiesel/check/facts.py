"""What is known of a stream beyond its class, and how calls change it."""

from __future__ import annotations

import ast
from typing import Final

from wiesel.check.call import Call
from wiesel.check.values import Instance, Value

#: An object that is of its class and of none that inherits from it.
EXACT: Final = "exact"
#: A ``WatermarkStrategy`` with a timestamp assigner of the script's.
ASSIGNER: Final = "assigner"
#: A stream of an input that ends.
BOUNDED: Final = "bounded"
#: A stream whose records certainly have no timestamps.
NO_TIMESTAMPS: Final = "no-timestamps"
#: A type, or a stream that was given one, whose records are no pickled objects.
TYPED: Final = "typed"
#: A stream whose records are pickled objects, as no type was given.
UNTYPED: Final = "untyped"

#: Operators that leave records where and when they are.
_SAME_TIME: Final = {"map", "flat_map", "process"}
_SAME_RECORDS: Final = {
    *("filter", "key_by", "name", "uid", "set_uid_hash", "set_description", "set_parallelism", "set_max_parallelism"),
    *("force_non_parallel", "set_buffer_timeout", "start_new_chain", "disable_chaining", "slot_sharing_group"),
    *("shuffle", "forward", "rebalance", "rescale", "reduce", "sum", "min", "max", "min_by", "max_by"),
}
#: Operators whose records have the type that is given to them, or none.
_OF_OUTPUT_TYPE: Final = {"map", "flat_map", "process"}


def of_result(call: Call, result: Value) -> Value:
    """Return what a call returns with what is known of it."""
    if not isinstance(result, Instance):
        return result
    if call.of_class("WatermarkStrategy"):
        own = {ASSIGNER} if call.name == "with_timestamp_assigner" else set()
        return Instance(result.cls, call.facts | own)
    if call.of_class("StreamExecutionEnvironment") and result.cls.__name__ == "DataStream":
        known = {BOUNDED, NO_TIMESTAMPS, _typed(call, "type_info")} if call.name == "from_collection" else set()
        return Instance(result.cls, frozenset({EXACT, *known}) - {""})
    if call.of_class("Types"):
        return Instance(result.cls, frozenset({UNTYPED if call.name == "PICKLED_BYTE_ARRAY" else TYPED}))
    if not call.of_class("DataStream"):
        return Instance(result.cls)
    known = {EXACT} if result.cls.__name__ == "DataStream" else set()
    if call.name in _SAME_TIME | _SAME_RECORDS:
        known |= call.facts & {BOUNDED, NO_TIMESTAMPS}
    if call.name == "assign_timestamps_and_watermarks":
        known |= call.facts & {BOUNDED, TYPED, UNTYPED}
    if call.name in _SAME_RECORDS:
        known |= call.facts & {TYPED, UNTYPED}
    elif call.name in _OF_OUTPUT_TYPE:
        known |= {_typed(call, "output_type")} - {""}
    return Instance(result.cls, frozenset(known))


def _typed(call: Call, parameter: str) -> str:
    if parameter not in call.arguments:
        return UNTYPED
    expression, value = call.arguments[parameter]
    if isinstance(expression, ast.Constant) and expression.value is None:
        return UNTYPED
    return next(iter(value.facts & {TYPED, UNTYPED}), "") if isinstance(value, Instance) else ""

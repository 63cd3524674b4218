"""Calls that do something else than they seem to: the surprises of PyFlink's that can be seen without running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wiesel.check import arity, builders, closures, facts, settings
from wiesel.check.call import Call
from wiesel.check.reporter import Reporter
from wiesel.check.values import Class, Instance, UserFunction, UserInstance, Value

_Trap = Callable[[Call, Reporter], None]

#: Functions of one stream's operator, and what each of these may be beside a callable.
_KINDS: Final = {"map": "MapFunction", "flat_map": "FlatMapFunction", "filter": "FilterFunction"}


def look(call: Call, reporter: Reporter) -> None:
    """Report the traps that a call steps into."""
    for trap in _TRAPS.get(call.name, ()):
        trap(call, reporter)
    _changes_the_script(call, reporter)


def _ignored_assigner(call: Call, reporter: Reporter) -> None:
    strategy = call.value("watermark_strategy")
    if call.of_class("StreamExecutionEnvironment") and facts.ASSIGNER in _facts(strategy):
        reporter.report(
            "W201",
            call.arguments["watermark_strategy"][0],
            "from_source ignores a timestamp assigner written in Python: records keep the source's timestamps.",
            "Call assign_timestamps_and_watermarks() on the stream with this strategy.",
        )


def _assigner_kind(call: Call, reporter: Reporter) -> None:
    for expression, value in call.arguments.values():
        plain = isinstance(value, UserInstance) and value.cls.complete and not value.cls.bases
        if isinstance(value, UserFunction) or (plain and "extract_timestamp" not in _methods(value)):
            reporter.report(
                "E201",
                expression,
                "A timestamp assigner has to be a TimestampAssigner object, not a function.",
                "Write a class that inherits from TimestampAssigner and has extract_timestamp(self, value, ts).",
            )


def _duration_for_time(call: Call, reporter: Reporter) -> None:
    is_window = isinstance(call.owner, Class) and call.owner.cls.__name__.endswith("Windows")
    if not is_window and not call.of_class("StateTtlConfig") and not call.of_class("AsyncDataStream"):
        return
    for expression, value in call.arguments.values():
        if isinstance(value, Instance) and value.cls.__name__ == "Duration":
            reporter.report(
                "P405" if reporter.portable else "W202",
                expression,
                f"PyFlink's {call.name}() takes a pyflink.common.Time and fails with a Duration; Wiesel takes both.",
                "Use Time.seconds(…), Time.minutes(…).",
            )


def _function_kind(call: Call, reporter: Reporter) -> None:
    function = call.value("func")
    if not isinstance(function, UserInstance) or not function.cls.complete:
        return
    kinds = {base.__name__ for cls in function.cls.bases for base in cls.__mro__}
    expression = call.arguments["func"][0]
    if call.name == "process":
        keyed = call.of_class("KeyedStream")
        wanted = "KeyedProcessFunction" if keyed else "ProcessFunction"
        if call.of_class("DataStream") and wanted not in kinds:
            where = "a KeyedStream" if keyed else "a DataStream that is not keyed"
            reporter.report("E202", expression, f"process() on {where} takes a {wanted}.", f"Inherit from {wanted}.")
    elif call.of_class("DataStream") and _KINDS[call.name] not in kinds and "__call__" not in _methods(function):
        wanted = _KINDS[call.name]
        reporter.report("E202", expression, f"{call.name}() takes a {wanted} or a function.", f"Inherit from {wanted}.")


def _union_of_types(call: Call, reporter: Reporter) -> None:
    for expression, value in call.arguments.values():
        both = _facts(value) | call.facts
        if call.of_class("DataStream") and {facts.TYPED, facts.UNTYPED} <= both:
            reporter.report(
                "E203",
                expression,
                "A stream with a type and one without cannot be united.",
                "Give both the same type, by output_type or type_info.",
            )


def _windows(call: Call, reporter: Reporter) -> None:
    assigner = call.value("window_assigner")
    if not isinstance(assigner, Instance) or not call.of_class("DataStream"):
        return
    expression = call.arguments["window_assigner"][0]
    kind = assigner.cls.__name__
    if "EventTime" in kind and facts.NO_TIMESTAMPS in call.facts:
        reporter.report(
            "E204",
            expression,
            f"{kind} needs timestamps, and the records of this collection have none.",
            "Call assign_timestamps_and_watermarks() before the window.",
        )
    if "ProcessingTime" in kind and facts.BOUNDED in call.facts:
        reporter.report(
            "W204",
            expression,
            f"{kind} does not fire at the end of an input that ends: what is in the last windows is never seen.",
            "Use event time, BATCH mode, or a source that goes on.",
        )


def _state_begins_anew(call: Call, reporter: Reporter) -> None:
    """PyFlink's KeyedStream.reduce() names its state by a new UUID whenever it is opened."""
    if reporter.portable and call.of_class("KeyedStream") and facts.BOUNDED not in call.facts:
        reporter.report(
            "W210",
            call.node.func,
            f"On Flink {call.name}() begins anew after each restart and from each savepoint: PyFlink gives its state a "
            "new name at every start.",
            "Where it has to go on, use process() with a KeyedProcessFunction and a state of its own.",
        )


def _changes_the_script(call: Call, reporter: Reporter) -> None:
    """A function of the job is a copy, so what it changes of the script's never reaches the script."""
    if call.of_class("DataStream") or call.of_class("WindowedStream"):
        for _, value in call.arguments.values():
            closures.look(value, reporter.tree, reporter)


def _facts(value: Value) -> frozenset[str]:
    return value.facts if isinstance(value, Instance) else frozenset()


def _methods(value: Value) -> set[str]:
    return set(value.cls.methods()) if isinstance(value, UserInstance) else set()


_TRAPS: Final[dict[str, tuple[_Trap, ...]]] = {
    "from_source": (_ignored_assigner,),
    "with_timestamp_assigner": (_assigner_kind,),
    "of": (_duration_for_time,),
    "with_gap": (_duration_for_time,),
    "new_builder": (_duration_for_time,),
    "ordered_wait": (_duration_for_time,),
    "unordered_wait": (_duration_for_time,),
    **dict.fromkeys(("map", "flat_map", "filter"), (_function_kind, arity.look)),
    **dict.fromkeys(("key_by", "partition_custom"), (arity.look,)),
    "process": (_function_kind,),
    "build": (builders.look,),
    **dict.fromkeys(("set_string", "set_integer", "set_boolean", "set_float"), (settings.look,)),
    "union": (_union_of_types,),
    "reduce": (_state_begins_anew, arity.look),
    **dict.fromkeys(("sum", "min", "max", "min_by", "max_by"), (_state_begins_anew,)),
    "window": (_windows,),
    "window_all": (_windows,),
}

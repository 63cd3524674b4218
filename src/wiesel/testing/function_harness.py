"""``harness_of(function)``: a harness around one user function (Flink: ``ProcessFunctionTestHarnesses``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wiesel.core.errors import ConfigurationError
from wiesel.core.state import MapStateDescriptor
from wiesel.core.types import TypeInformation
from wiesel.datastream import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    DataStream,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
)
from wiesel.testing.harness import OperatorHarness

_TWO_INPUTS = (CoMapFunction, CoFlatMapFunction, CoProcessFunction, KeyedCoProcessFunction)
_BROADCAST = (BroadcastProcessFunction, KeyedBroadcastProcessFunction)
_KEYED = (KeyedProcessFunction, KeyedCoProcessFunction, KeyedBroadcastProcessFunction, ReduceFunction)


def harness_of(
    function: Any,
    key_selector: Callable[[Any], Any] | None = None,
    key_selector2: Callable[[Any], Any] | None = None,
    *,
    key_type: TypeInformation | None = None,
    inputs: Sequence[TypeInformation | None] | None = None,
    output_type: TypeInformation | None = None,
    broadcast_state: Sequence[MapStateDescriptor[Any, Any]] = (),
    **options: Any,
) -> OperatorHarness:
    """Return a harness around one function, applied as its kind asks for.

    Args:
        function: a function of ``pyflink.datastream.functions``; for a plain callable, and for windows, give
            ``OperatorHarness`` the program instead.
        key_selector: key of the first input's records; keyed functions need it.
        key_selector2: key of the second input's; the first one's when left out.
        key_type: of the keys; None is untyped.
        inputs: types of the inputs; untyped when left out.
        output_type: of the results; None is untyped.
        broadcast_state: descriptors of the broadcast state; input 1 is then the broadcast side.
        options: see ``OperatorHarness``.

    Raises:
        ConfigurationError: the function is of another kind, or what it needs is missing.
    """
    if isinstance(function, _KEYED) and key_selector is None:
        raise ConfigurationError(f"{type(function).__name__} works on a keyed stream: give harness_of a key_selector.")
    if isinstance(function, _BROADCAST) and not broadcast_state:
        raise ConfigurationError(f"{type(function).__name__} needs descriptors: give harness_of broadcast_state=[…].")

    def keyed(stream: DataStream, selector: Callable[[Any], Any] | None) -> Any:
        return stream if selector is None else stream.key_by(selector, key_type)

    def one_input(stream: DataStream) -> DataStream:
        return _applied(keyed(stream, key_selector), function, output_type)

    def two_inputs(first: DataStream, second: DataStream) -> DataStream:
        connected = keyed(first, key_selector).connect(keyed(second, key_selector2 or key_selector))
        return _connected(connected, function, output_type)

    def with_broadcast(stream: DataStream, rules: DataStream) -> DataStream:
        connected = keyed(stream, key_selector).connect(rules.broadcast(*broadcast_state))
        result: DataStream = connected.process(function, output_type)
        return result

    if isinstance(function, _BROADCAST):
        return OperatorHarness(with_broadcast, inputs or (None, None), **options)
    if isinstance(function, _TWO_INPUTS):
        return OperatorHarness(two_inputs, inputs or (None, None), **options)
    return OperatorHarness(one_input, inputs or (None,), **options)


def _applied(stream: Any, function: Any, output_type: TypeInformation | None) -> DataStream:
    result: DataStream
    if isinstance(function, ProcessFunction | KeyedProcessFunction):
        result = stream.process(function, output_type)
    elif isinstance(function, MapFunction):
        result = stream.map(function, output_type)
    elif isinstance(function, FlatMapFunction):
        result = stream.flat_map(function, output_type)
    elif isinstance(function, FilterFunction):
        result = stream.filter(function)
    elif isinstance(function, ReduceFunction):
        result = stream.reduce(function)
    else:
        raise ConfigurationError(
            f"harness_of knows the functions of pyflink.datastream.functions, and {function!r} is none of those that "
            f"apply to a stream. Give OperatorHarness the program: OperatorHarness(lambda stream: stream.map(...))."
        )
    return result


def _connected(connected: Any, function: Any, output_type: TypeInformation | None) -> DataStream:
    result: DataStream
    if isinstance(function, CoMapFunction):
        result = connected.map(function, output_type)
    elif isinstance(function, CoFlatMapFunction):
        result = connected.flat_map(function, output_type)
    else:
        result = connected.process(function, output_type)
    return result

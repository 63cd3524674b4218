"""``WindowedStream`` and ``AllWindowedStream``: what is to be done with the contents of windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from wiesel.core.arguments import expect
from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import (
    AggregateFunction,
    AllWindowFunction,
    Function,
    OutputTag,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
    method_or_callable,
)
from wiesel.core.operator_specs import WindowSpec
from wiesel.core.shipping import ship
from wiesel.core.triggers import Trigger
from wiesel.core.types import TypeInformation
from wiesel.core.types.declared import declared_type
from wiesel.core.window_assigners import MergingWindowAssigner, WindowAssigner
from wiesel.datastream.data_stream import DataStream

if TYPE_CHECKING:
    from wiesel.core.evictors import Evictor
    from wiesel.datastream.keyed_stream import KeyedStream
    from wiesel.datastream.stream_execution_environment import StreamExecutionEnvironment

__all__ = ["AllWindowedStream", "WindowedStream"]


class _Windowed:
    """What windows over keyed and over whole streams share.

    Args:
        stream: the stream, keyed; for ``window_all`` keyed by one artificial key.
        window_assigner: puts records into windows.
    """

    _all_windows = False
    _functions: tuple[type[Function], ...] = ()

    def __init__(self, stream: KeyedStream, window_assigner: WindowAssigner[Any, Any]) -> None:
        if not isinstance(window_assigner, WindowAssigner):
            raise TypeError(f"Expected a WindowAssigner, got {type(window_assigner).__name__}.")
        self._stream = stream
        self._assigner = window_assigner
        self._trigger: Trigger[Any, Any] | None = None
        self._evictor: Evictor[Any, Any] | None = None
        self._lateness_ms = 0
        self._late_tag: OutputTag | None = None

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """Return the environment."""
        return self._stream.get_execution_environment()

    def get_input_type(self) -> TypeInformation:
        """Return the type of the records."""
        return self._stream.get_type()

    def trigger(self, trigger: Trigger[Any, Any]) -> Self:
        """Set when windows fire, instead of the assigner's default."""
        if not isinstance(trigger, Trigger):
            raise TypeError(f"Expected a Trigger, got {type(trigger).__name__}.")
        if isinstance(self._assigner, MergingWindowAssigner) and not trigger.can_merge():
            raise TypeError(
                f"A merging window assigner cannot be used with a trigger that does not support merging: "
                f"{type(trigger).__name__}.can_merge() returns False."
            )
        self._trigger = trigger
        return self

    def evictor(self, evictor: Evictor[Any, Any]) -> Self:
        """Let an evictor take elements out of windows when they fire (Java's ``evictor``; PyFlink has none).

        A window with one keeps all its elements, also under ``reduce`` and ``aggregate``.
        """
        from wiesel.core.evictors import Evictor

        if not isinstance(evictor, Evictor):
            raise TypeError(f"Expected an Evictor, got {type(evictor).__name__}.")
        self._evictor = evictor
        return self

    def allowed_lateness(self, time_ms: int) -> Self:
        """Let windows take late records for ``time_ms`` milliseconds after their end."""
        if time_ms < 0:
            raise ConfigurationError("The allowed lateness cannot be negative.")
        self._lateness_ms = time_ms
        return self

    def side_output_late_data(self, output_tag: OutputTag) -> Self:
        """Send records that come too late to a side output instead of dropping them."""
        expect(output_tag, OutputTag, "side_output_late_data()", "an OutputTag")
        self._late_tag = output_tag
        return self

    def _window(self, output_type: TypeInformation | None, **functions: Any) -> DataStream:
        spec = WindowSpec(
            assigner=ship(self._assigner),
            trigger=None if self._trigger is None else ship(self._trigger),
            **{part: ship(function) for part, function in functions.items() if function is not None},
            allowed_lateness_ms=self._lateness_ms,
            late_tag=None if self._late_tag is None else self._late_tag.tag_id,
            all_windows=self._all_windows,
            evictor=None if self._evictor is None else ship(self._evictor),
        )
        return self._stream._transform(
            type(self._assigner).__name__, spec, output_type, keyed=True, description=self._described(functions)
        )

    def _described(self, functions: Mapping[str, Any]) -> str:
        """Return the description that Flink gives a window's operator: its parts, the functions last."""
        trigger = self._trigger or self._assigner.get_default_trigger(self._stream.get_execution_environment())
        kinds = [type(function).__name__ for function in functions.values() if function is not None]
        kind = "AllWindow" if self._all_windows else "Window"
        return f"{kind}({', '.join([repr(self._assigner), type(trigger).__name__, *kinds])})"

    def _function(self, function: Any) -> Any:
        if not isinstance(function, self._functions):
            names = " or a ".join(kind.__name__ for kind in self._functions)
            raise TypeError(f"The input must be a {names}, got {type(function).__name__}.")
        return function

    def reduce(
        self,
        reduce_function: Callable[..., Any] | ReduceFunction,
        window_function: Any = None,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Fold a window's records as they come; a window function may see the fold when the window fires."""
        method_or_callable(reduce_function, ReduceFunction, "reduce")
        if window_function is None:
            return self._window(output_type or self.get_input_type(), reduce=reduce_function)
        return self._window(output_type, reduce=reduce_function, function=self._function(window_function))

    def aggregate(
        self,
        aggregate_function: AggregateFunction,
        window_function: Any = None,
        accumulator_type: TypeInformation | None = None,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Aggregate a window's records as they come; a window function may see the result when the window fires."""
        if not isinstance(aggregate_function, AggregateFunction):
            raise TypeError("The input must be an AggregateFunction.")
        declared_type(accumulator_type, "accumulator_type")
        function = None if window_function is None else self._function(window_function)
        return self._window(output_type, aggregate=aggregate_function, function=function)

    def apply(self, window_function: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a window function to each window's records."""
        return self._window(output_type, function=self._function(window_function))

    def process(self, process_window_function: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a process window function to each window's records."""
        return self._window(output_type, function=self._function(process_window_function))


class WindowedStream(_Windowed):
    """Windows over each key (Flink: ``WindowedStream``)."""

    _functions = (WindowFunction, ProcessWindowFunction)

    def __init__(self, keyed_stream: KeyedStream, window_assigner: WindowAssigner[Any, Any]) -> None:
        super().__init__(keyed_stream, window_assigner)


class AllWindowedStream(_Windowed):
    """Windows over a whole stream, in one subtask (Flink: ``AllWindowedStream``)."""

    _all_windows = True
    _functions = (AllWindowFunction, ProcessAllWindowFunction)

    def __init__(self, data_stream: DataStream, window_assigner: WindowAssigner[Any, Any]) -> None:
        super().__init__(data_stream.key_by(_one_key), window_assigner)


def _one_key(value: Any) -> int:
    """Return the artificial key of a window over everything."""
    return 0

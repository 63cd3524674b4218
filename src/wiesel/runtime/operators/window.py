"""The window operator: makes what a ``WindowSpec`` asks for out of its parts (Flink: ``WindowOperator``).

Results carry the timestamp at which the window fired: that of the timer, which by default is the window's last
millisecond, or that of the element that made it fire. PyFlink does so; Java takes the window's last millisecond always.
"""

from __future__ import annotations

from typing import Any, Protocol

from wiesel.core.contracts import Emit
from wiesel.core.evictors import Evictor
from wiesel.core.functions import Function
from wiesel.core.operator_specs import WindowSpec
from wiesel.core.window_assigners import MergingWindowAssigner
from wiesel.runtime.operators.base import Operator, emitter
from wiesel.runtime.operators.window_contexts import FunctionContext
from wiesel.runtime.operators.window_count import CountWindows, is_count
from wiesel.runtime.operators.window_evicting import evicting
from wiesel.runtime.operators.window_fixed import FixedWindows, is_fixed
from wiesel.runtime.operators.window_folding import folding_of, keeping
from wiesel.runtime.operators.window_functions import clear_hook, evaluator
from wiesel.runtime.operators.window_general import GeneralWindows, WindowParts
from wiesel.runtime.operators.window_merging import MergingWindows
from wiesel.runtime.operators.window_sessions import SessionWindows, is_session

#: Names of the operator's own states; no user state begins with an underscore and these words.
_CONTENTS = "_window-contents"
_IN_FLIGHT = "_windows-in-flight"


class Windows(Protocol):
    """A way of running windows."""

    @property
    def process(self) -> Emit:
        """Take one element of the current key."""

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """A due event-time timer of the current key."""

    def on_processing_timer(self, timestamp: int, namespace: Any) -> None:
        """A due processing-time timer of the current key."""


class WindowOperator(Operator):
    """Windows over a keyed stream."""

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._assigner = spec.assigner.load()
        self._trigger = self._assigner.get_default_trigger(None) if spec.trigger is None else spec.trigger.load()
        self._function: Function | None = None if spec.function is None else spec.function.load()
        self._folding = folding_of(spec)
        self._evictor: Evictor[Any, Any] | None = None if spec.evictor is None else spec.evictor.load()
        self._opened = False

    def open(self) -> None:
        """Open the user's window function, and choose how to run the windows."""
        self._windows = self._choose(self._parts())
        self.on_event_timer = self._windows.on_event_timer  # type: ignore[method-assign]
        self.on_processing_timer = self._windows.on_processing_timer  # type: ignore[method-assign]
        if self._function is not None:
            self._function.open(self.context.runtime_context)
            self._opened = True

    def bind(self, input_index: int) -> Emit:
        """Return the callable that takes the elements."""
        return self._windows.process

    def close(self) -> None:
        """Call the window function's ``close`` if it was opened."""
        if self._function is not None and self._opened:
            self._opened = False
            self._function.close()

    def _parts(self) -> WindowParts:
        context, function = self.context, self._function
        backend = context.require_keyed_backend()
        merging = isinstance(self._assigner, MergingWindowAssigner)
        function_context = FunctionContext(self, backend, merging)
        emit = emitter(self.out, context.side_outputs)
        folding = self._folding
        evaluate = evaluator(function, folding, backend.current_key, function_context, self.out, emit)
        if self._evictor is not None:
            evaluate = evicting(evaluate, self._evictor, folding, self)
            folding = keeping()
        return WindowParts(
            operator=self,
            backend=backend,
            assigner=self._assigner,
            trigger=self._trigger,
            contents=backend.internal_state(_CONTENTS, kind=self._contents_kind(folding.keeps_elements)),
            folding=folding,
            evaluate=evaluate,
            clear_function=clear_hook(function, function_context),
            allowed_lateness_ms=self._spec.allowed_lateness_ms,
            emit_late=self._late_output(),
            evicts=self._evictor is not None,
        )

    def _contents_kind(self, keeps_elements: bool) -> str:
        """Return what a checkpoint calls the contents: one program's must not be taken for another's."""
        if keeps_elements:
            return "elements of windows"
        return "reduced values of windows" if self._spec.reduce is not None else "accumulators of windows"

    def _choose(self, parts: WindowParts) -> Windows:
        # By the program alone, so that a restored job goes on in the way in which it began.
        if not parts.evicts:
            if is_fixed(parts):
                return FixedWindows(parts)
            if is_count(parts):
                return CountWindows(parts)
            if is_session(parts):
                return SessionWindows(parts, parts.backend.internal_state(_IN_FLIGHT, immutable=True))
        if isinstance(parts.assigner, MergingWindowAssigner):
            return MergingWindows(parts, parts.backend.internal_state(_IN_FLIGHT, immutable=True))
        return GeneralWindows(parts)

    def _late_output(self) -> Emit:
        if self._spec.late_tag is None:
            dropped = self.context.late_dropped
            return lambda value, timestamp: dropped(1)
        side = self.context.side_outputs.get(self._spec.late_tag)
        return side if side is not None else lambda value, timestamp: None

"""The contract of an operator within a chain.

An operator is set up once with the callable of its downstream, and says for each of its inputs what it does with a
record: as lines of Python, or as a callable. Everything that is not a record goes through the other methods, which the
task calls between records. All of it happens on the task thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Clock, Emit, Json, KeyedStateBackend
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import StateAccessError
from wiesel.core.functions import OutputTag, RuntimeContext
from wiesel.runtime.inlining import Inline


@dataclass(frozen=True, slots=True)
class OperatorContext:
    """What an operator is set up with.

    Args:
        name: the operator's name as plans and errors show it.
        uid: its identity in checkpoints.
        subtask: index of the parallel instance.
        parallelism: number of parallel instances.
        max_parallelism: number of key groups.
        attempt: number of this attempt, from 0.
        clock: time.
        configuration: the job's configuration.
        runtime_context: what user functions get in ``open``.
        keyed_backend: state and timers of a keyed operator, else None.
        side_outputs: downstream callables by tag id; empty when the job reads no side output of this operator.
        wake: from any thread, ask for the task to be stepped again.
        fail: from any thread, fail the task with an error.
        late_dropped: call for each record dropped as too late (metric ``numLateRecordsDropped``).
    """

    name: str
    uid: str
    subtask: int
    parallelism: int
    max_parallelism: int
    attempt: int
    clock: Clock
    configuration: Configuration
    runtime_context: RuntimeContext
    keyed_backend: KeyedStateBackend | None
    side_outputs: Mapping[str, Emit]
    wake: Callable[[], None]
    fail: Callable[[BaseException], None]
    late_dropped: Callable[[int], None]

    def require_keyed_backend(self) -> KeyedStateBackend:
        """Return the keyed backend, or raise what PyFlink raises off a keyed stream."""
        if self.keyed_backend is None:
            raise StateAccessError("This state is only accessible by functions executed on a KeyedStream.")
        return self.keyed_backend


class Operator:
    """Base of all operators; a subclass overrides what it needs."""

    #: The event time this operator has reached.
    current_watermark: int = MIN_TIMESTAMP

    def setup(self, context: OperatorContext, out: Emit) -> None:
        """Keep the context and the downstream; called once, before ``restore_state`` and ``open``."""
        self.context = context
        self.out = out

    def open(self) -> None:
        """Call the user function's ``open``; state may be registered here."""

    def inline(self, input_index: int) -> Inline | None:
        """Return what it does with the records of an input, or None if ``bind`` does; called once, after ``open``."""
        return None

    def bind(self, input_index: int) -> Emit:
        """Return the callable that takes the records of an input; called once, after ``open``, unless inlined."""
        raise NotImplementedError

    def on_watermark(self, watermark: int) -> None:
        """Learn the new event time, before the timers it makes due are fired."""
        self.current_watermark = watermark

    def passes_watermark(self, watermark: int) -> bool:
        """Whether a watermark it has learned goes on down the chain at once."""
        return True

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """A due event-time timer of the current key."""

    def on_processing_timer(self, timestamp: int, namespace: Any) -> None:
        """A due processing-time timer of the current key."""

    def finish(self) -> None:
        """The input has ended and every timer of event time has fired: emit what is left."""

    def snapshot_state(self) -> Json | None:
        """Return the operator's non-keyed state as JSON-able data or bytes, at the barrier."""
        return None

    def restore_state(self, states: Iterable[Json]) -> None:
        """Take over the ``snapshot_state`` of the instances this one follows."""

    def close(self) -> None:
        """Call the user function's ``close``; called exactly once, on success and on failure."""


def inline_process(
    function: Callable[[Any, Any], Any], context: Any, out: Emit, side_outputs: Mapping[str, Emit]
) -> Inline:
    """Return what emits all results of ``function(value, context)`` at the record's timestamp.

    Args:
        function: ``process_element`` of a process function.
        context: its context; ``current_timestamp`` is set for each record.
        out: the main output.
        side_outputs: see ``emitter``.
    """
    called = {"function": function, "context": context}
    arrive = "{context}.current_timestamp = timestamp"
    if side_outputs:
        emit = emitter(out, side_outputs)
        return Inline((arrive, "{emit}({function}({value}, {context}), timestamp)"), {**called, "emit": emit}, None)
    return Inline(
        (
            arrive,
            "{results} = {function}({value}, {context})",
            "if {results} is not None:",
            "    for {result} in {results}:",
        ),
        called,
    )


def emitter(out: Emit, side_outputs: Mapping[str, Emit]) -> Callable[[Any, int], None]:
    """Return a callable that emits all results of a process function, to the main output or to side outputs.

    Only a job that reads side outputs of the operator pays for telling them apart (as PyFlink does).
    """
    if not side_outputs:

        def emit_all(results: Any, timestamp: int) -> None:
            if results is not None:
                for result in results:
                    out(result, timestamp)

        return emit_all

    def emit_tagged(results: Any, timestamp: int) -> None:
        if results is None:
            return
        for result in results:
            if type(result) is tuple and len(result) == 2 and isinstance(result[0], OutputTag):
                side = side_outputs.get(result[0].tag_id)
                if side is not None:
                    side(result[1], timestamp)
            else:
                out(result, timestamp)

    return emit_tagged

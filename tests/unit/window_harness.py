"""Drives a keyed operator (a window, an interval join) over real state as a task does, with a clock to turn."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import KeptFile
from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import OperatorSpec, WindowSpec
from wiesel.core.shipping import ship
from wiesel.runtime.operators import OperatorContext, create_operator, interval_join, window
from wiesel.runtime.operators.contexts import TaskRuntimeContext
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.testing.clock import ManualClock

#: Imported with the harness and not by the first operator: a class that appears while tests/tools/empty_members.py has
#: emptied something would stay empty.
OPERATOR_MODULES = (interval_join, window)


def window_spec(
    assigner: Any,
    *,
    reduce: Any = None,
    aggregate: Any = None,
    function: Any = None,
    trigger: Any = None,
    evictor: Any = None,
    **options: Any,
) -> WindowSpec:
    """Return a spec of functions that are not shipped yet."""
    parts = {"trigger": trigger, "function": function, "reduce": reduce, "aggregate": aggregate, "evictor": evictor}
    shipped: dict[str, Any] = {name: None if part is None else ship(part) for name, part in parts.items()}
    return WindowSpec(ship(assigner), **shipped, **options)


class WindowHarness:
    """One operator; ``results`` are ``(value, timestamp)`` pairs of the main output.

    Args:
        spec: what the operator is.
        now: what the clock shows.
        side_outputs: tags whose outputs are kept in ``sides``.
        inputs: how many the operator has.
    """

    def __init__(self, spec: OperatorSpec, now: int = 0, side_outputs: tuple[str, ...] = (), inputs: int = 1) -> None:
        self.spec = spec
        self._inputs = inputs
        self.clock = ManualClock(now)
        self.results: list[tuple[Any, int]] = []
        self.sides: dict[str, list[tuple[Any, int]]] = {tag: [] for tag in side_outputs}
        self.dropped = 0
        self.metrics = TaskMetricGroup()
        self._start(self.new_backend())

    def new_backend(self) -> HeapKeyedStateBackend:
        """Return an empty backend; tests on another kind replace this."""
        return HeapKeyedStateBackend(lambda key: 0)

    def _start(self, backend: HeapKeyedStateBackend) -> None:
        self.backend = backend
        self.operator = create_operator(self.spec)
        runtime_context = TaskRuntimeContext(
            task_name="window",
            subtask=0,
            parallelism=1,
            max_parallelism=128,
            attempt=0,
            job_parameters={},
            metrics=self.metrics,
            backend=backend,
        )
        context = OperatorContext(
            name="window",
            uid="window",
            subtask=0,
            parallelism=1,
            max_parallelism=128,
            attempt=0,
            clock=self.clock,
            configuration=Configuration(),
            runtime_context=runtime_context,
            keyed_backend=backend,
            side_outputs={
                tag: lambda value, timestamp, rows=rows: rows.append((value, timestamp))  # type: ignore[misc]
                for tag, rows in self.sides.items()
            },
            wake=lambda: None,
            fail=self._fail,
            late_dropped=self._drop,
        )
        self.operator.setup(context, lambda value, timestamp: self.results.append((value, timestamp)))
        self.operator.open()
        self._processes = [backend.bind_keyed(self.operator.bind(number)) for number in range(self._inputs)]

    def _drop(self, count: int) -> None:
        self.dropped += count

    def _fail(self, error: BaseException) -> None:
        raise error

    def process(self, key: Any, value: Any, timestamp: int = 0, input_index: int = 0) -> None:
        """Process one element."""
        self._processes[input_index]([value], [timestamp], [key])

    def watermark(self, timestamp: int) -> None:
        """Move event time on and fire what is due."""
        self.operator.on_watermark(timestamp)
        while due := self.backend.pop_event_timers(timestamp, 512):
            for time, key, namespace in due:
                self.backend.set_current_key(key)
                self.operator.on_event_timer(time, namespace)

    def advance(self, now: int) -> None:
        """Turn the clock and fire what is due."""
        self.clock.set(now)
        # A timer is due when its millisecond is over, so that no element can still come into a window that fired.
        while due := self.backend.pop_processing_timers(now - 1, 512):
            for time, key, namespace in due:
                self.backend.set_current_key(key)
                self.operator.on_processing_timer(time, namespace)

    def finish(self) -> None:
        """End the input: event time is over."""
        self.watermark(MAX_WATERMARK)

    def take(self) -> list[Any]:
        """Return the values emitted since the last call, sorted by their text."""
        values = [value for value, _ in self.results]
        self.results.clear()
        return sorted(values, key=repr)

    def restart(self) -> None:
        """Take a snapshot, and go on from it with a fresh operator and backend."""
        watermark = self.operator.current_watermark
        snapshot = self.backend.snapshot()
        pieces = list(snapshot.slices())
        with TemporaryDirectory() as directory:

            def keep(name: str, path: Path, known: KeptFile | None) -> KeptFile:
                shutil.copyfile(path, Path(directory, name))
                return KeptFile(name, 0, "")

            files = {file.name: Path(directory, file.name) for file in snapshot.files(keep)}
            snapshot.release()
            self.operator.close()
            self.backend.close()
            backend = self.new_backend()
            backend.restore(pieces, None, files)
        self._start(backend)
        self.operator.on_watermark(watermark)

"""The async operator: records go to a function that waits for something outside, results come back in order or not.

At most ``capacity`` records are waited for; while more are there the task takes no input. Watermarks keep their place.
Records in flight are the operator's state: after a restart they are asked for again.
"""

from __future__ import annotations

import pickle
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from wiesel.core.async_functions import AsyncFunction
from wiesel.core.contracts import Emit, Json
from wiesel.core.operator_specs import AsyncWaitSpec
from wiesel.runtime.operators.async_calls import AsyncCalls
from wiesel.runtime.operators.async_queues import AsyncQueue, Entry, OrderedQueue, UnorderedQueue
from wiesel.runtime.operators.stateless import FunctionOperator


class AsyncWaitOperator(FunctionOperator):
    """``AsyncWaitSpec``. ``emit_watermark`` is set by the chain before ``open``: it carries a watermark on."""

    emit_watermark: Callable[[int], None]

    def __init__(self, spec: AsyncWaitSpec) -> None:
        super().__init__(spec.function)
        self._function: AsyncFunction[Any, Any]
        self._spec = spec
        self._queue: AsyncQueue = OrderedQueue() if spec.ordered else UnorderedQueue()
        self._admitted = 0
        self._waiting: deque[Entry] = deque()
        self._outcomes: deque[tuple[Entry, list[Any] | BaseException]] = deque()
        self._restored: list[tuple[Any, int]] = []
        self._calls: AsyncCalls | None = None

    def open(self) -> None:
        """Open the function, start its loop and ask again for the records of the checkpoint."""
        super().open()
        spec = self._spec
        self._calls = AsyncCalls(
            self._function, spec.retry_strategy.load(), spec.timeout_ms, self._take_outcome, self.context.name
        )
        for value, timestamp in self._restored:
            self._enter(value, timestamp)
        self._restored = []

    def bind(self, input_index: int) -> Emit:
        """Return a callable that asks for one record."""
        return self._enter

    def _enter(self, value: Any, timestamp: int) -> None:
        entry = Entry(value, timestamp)
        self._queue.add(entry)
        self._waiting.append(entry)
        self._admit()

    def _admit(self) -> None:
        assert self._calls is not None
        while self._waiting and self._admitted < self._spec.capacity:
            self._admitted += 1
            self._calls.begin(self._waiting.popleft())

    def _take_outcome(self, entry: Entry, outcome: list[Any] | BaseException) -> None:
        """Keep an outcome for the task thread; runs on the loop's thread."""
        self._outcomes.append((entry, outcome))
        self.context.wake()

    # ----------------------------------------------------------------------------------------- for the task

    def is_available(self) -> bool:
        """Whether another record would be asked for at once."""
        return self._admitted < self._spec.capacity

    def is_idle(self) -> bool:
        """Whether nothing is waited for, so that the end of the input may go on."""
        return self._queue.is_empty()

    def emit_completed(self) -> bool:
        """Emit what is complete and in turn; return whether anything had completed.

        Raises:
            Exception: what the function raised, once no further attempt was to be made.
        """
        if not self._outcomes:
            return False
        while self._outcomes:
            entry, outcome = self._outcomes.popleft()
            if isinstance(outcome, BaseException):
                raise outcome
            self._queue.complete(entry, outcome)
        for element in self._queue.ready():
            if isinstance(element, Entry):
                self._admitted -= 1
                for result in element.results or ():
                    self.out(result, element.timestamp)
            else:
                self.emit_watermark(element)
        self._admit()
        return True

    def passes_watermark(self, watermark: int) -> bool:
        """Keep a watermark behind the records that came before it."""
        if self._queue.is_empty():
            return True
        self._queue.add_watermark(watermark)
        return False

    # ------------------------------------------------------------------------------------------ checkpoints

    def snapshot_state(self) -> Json | None:
        """Return the records in flight."""
        records = [(entry.value, entry.timestamp) for entry in self._queue.pending()]
        if not records:
            return None
        return {"subtask": self.context.subtask, "records": b64encode(pickle.dumps(records, protocol=5)).decode()}

    def restore_state(self, states: Iterable[Json]) -> None:
        """Take over the records in flight of the instances that this one follows, each instance's exactly once."""
        for state in states:
            # At a higher parallelism an instance without a predecessor is shown another's state.
            if state["subtask"] % self.context.parallelism == self.context.subtask:
                self._restored += pickle.loads(b64decode(state["records"]))

    def close(self) -> None:
        """Give up what is in flight, then close the function."""
        if self._calls is not None:
            calls, self._calls = self._calls, None
            calls.close()
        super().close()

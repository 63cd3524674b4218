"""The data generator as inert data of the job graph (Flink: ``DataGeneratorSource``)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.connectors.datagen.rate import Allowance, RateLimit
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.shipping import ShippedFunction


@dataclass(frozen=True)
class DataGeneratorSpec(AlwaysReady):
    """``function(0)`` to ``function(count - 1)``, split over the readers.

    Args:
        function: makes a record of a number.
        count: how many.
        limit: how fast all readers together may go.
    """

    function: ShippedFunction
    count: int
    limit: RateLimit

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FixedEnumerator:
        """Return the enumerator; the numbers are cut into one part a reader."""
        if self.count == 0:
            return FixedEnumerator([], context.parallelism, state)
        return NumberSequenceSpec(0, self.count - 1).create_enumerator(context, state)

    def create_reader(self, context: SourceContext) -> DataGeneratorReader:
        """Return a reader."""
        return DataGeneratorReader(self.function.load(), self.limit, context)


class DataGeneratorReader(BoundedReader):
    """Makes records while its part of the rate allows.

    Args:
        function: makes a record of a number.
        limit: of the whole source.
        context: how many readers there are, and how to wake the task.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        function: Callable[[int], Any],
        limit: RateLimit,
        context: SourceContext,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._function = function
        self._monotonic = monotonic
        self._allowance = Allowance(limit.records_per_second / context.parallelism, monotonic())
        self._wake = context.wake
        self._alarm: threading.Timer | None = None

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next records that the rate allows; else be woken when it allows one."""
        if not self._splits:
            return None
        split = self._splits[0]
        first, last = split.position["next"], split.position["last"]
        granted = self._allowance.take(min(max_records, last - first + 1), self._monotonic())
        if granted == 0:
            self._set_alarm()
            return None
        end = first + granted
        values = list(map(self._function, range(first, end)))
        if end > last:
            self._splits.popleft()
            self._finished.append(split.split_id)
        else:
            self._splits[0] = SourceSplit(split.split_id, {"next": end, "last": last})
        return SourceBatch(split.split_id, values, [MIN_TIMESTAMP] * granted, lambda i: f"number {first + i}")

    def _set_alarm(self) -> None:
        if self._alarm is None or not self._alarm.is_alive():
            self._alarm = threading.Timer(self._allowance.seconds_to_next(), self._wake)
            self._alarm.daemon = True
            self._alarm.start()

    def close(self) -> None:
        """Stop the alarm."""
        if self._alarm is not None:
            self._alarm.cancel()

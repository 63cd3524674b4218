"""Both kinds of time of one task: fires the timers that are due and carries watermarks down the chain."""

from __future__ import annotations

import math

from wiesel.core.contracts import Clock
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
from wiesel.runtime.chain import OperatorChain
from wiesel.runtime.source_input import SourceInput


class TimeService:
    """Timers belong to the chain's head, the only operator of a chain that may be keyed.

    Args:
        chain: the task's operators.
        source: its reader, for a source task.
        clock: time.
        watermark_interval_ms: how often watermarks are emitted; 0 is never, as in Flink.
        by_key: whether input comes one key after the other (BATCH mode): time of both kinds stands still within a key,
            and is over at its end.
    """

    def __init__(
        self,
        chain: OperatorChain,
        source: SourceInput | None,
        clock: Clock,
        watermark_interval_ms: int,
        by_key: bool = False,
    ) -> None:
        self.watermark: int | None = None
        self._chain = chain
        self._source = source
        self._clock = clock
        self._firing: int | None = None
        self._by_key = by_key
        self._key_ends = False
        periodic = watermark_interval_ms > 0 and (source is not None or chain.makes_watermarks)
        self._interval = watermark_interval_ms / 1000 if periodic else math.inf
        self._next_watermark_at = clock.monotonic() + self._interval

    @property
    def is_firing(self) -> bool:
        """Whether timers of the current watermark are still to be fired."""
        return self._firing is not None

    def begin_watermark(self, watermark: int) -> None:
        """Let event time advance; ``fire_event_timers`` fires what that makes due."""
        self.watermark = self._firing = watermark
        if self._chain.head is not None:
            self._chain.head.on_watermark(watermark)

    def begin_end_of_key(self) -> None:
        """Let event time be over for the current key; ``fire_event_timers`` fires what that makes due."""
        self._key_ends = True
        self._firing = MAX_WATERMARK
        if self._chain.head is not None:
            self._chain.head.on_watermark(MAX_WATERMARK)

    def _end_key(self, limit: int) -> bool:
        """Fire timers of processing time, which is over too, then turn event time back for the next key."""
        backend, head = self._chain.backend, self._chain.head
        assert backend is not None
        assert head is not None
        if self._fire_processing(MAX_WATERMARK, limit):
            return False  # they may have registered others, of both kinds
        self._key_ends = False
        self._firing = None
        head.on_watermark(MIN_TIMESTAMP)
        return True

    def fire_event_timers(self, limit: int) -> bool:
        """Fire up to ``limit`` due timers; when none is left the watermark goes on, and True is returned."""
        watermark, backend, head = self._firing, self._chain.backend, self._chain.head
        assert watermark is not None
        if backend is not None and head is not None:
            while due := backend.pop_event_timers(watermark, limit):
                limit -= len(due)
                for timestamp, key, namespace in due:
                    backend.set_current_key(key)
                    head.on_event_timer(timestamp, namespace)
                if limit <= 0:
                    return False
        if self._key_ends:
            return self._end_key(limit)
        self._firing = None
        self._chain.emit_head_watermark(watermark)
        return True

    def fire_processing_timers(self, limit: int) -> bool:
        """Fire up to ``limit`` timers whose millisecond is over; return whether there were any."""
        backend, head = self._chain.backend, self._chain.head
        if backend is None or head is None or self._by_key or backend.next_processing_time() is None:
            return False
        return self._fire_processing(self._clock.now_ms() - 1, limit)

    def _fire_processing(self, over: int, limit: int) -> bool:
        backend, head = self._chain.backend, self._chain.head
        assert backend is not None
        assert head is not None
        fired = False
        while limit > 0 and (due := backend.pop_processing_timers(over, limit)):
            limit -= len(due)
            fired = True
            for timestamp, key, namespace in due:
                backend.set_current_key(key)
                head.on_processing_timer(timestamp, namespace)
        return fired

    def emit_periodic_watermarks(self) -> bool:
        """Emit watermarks and idle statuses if the interval is over; return whether there were any."""
        now = self._clock.monotonic()
        if now < self._next_watermark_at:
            return False
        self._next_watermark_at = now + self._interval
        emitted = False
        if self._source is not None:
            watermark, idle = self._source.next_watermark()
            emitted = watermark is not None or idle is not None
            if idle is not None:
                self._chain.emit_status(idle)
            if watermark is not None:
                self.emit_source_watermark(watermark)
        return self._chain.periodic_watermarks() or emitted

    def emit_source_watermark(self, watermark: int) -> None:
        """Let event time advance from a source on."""
        self.watermark = watermark
        self._chain.emit_watermark(watermark)

    def next_due(self) -> float:
        """Return the monotonic time at which there may be something to fire or to emit."""
        due = self._next_watermark_at
        backend = self._chain.backend
        timer = backend.next_processing_time() if backend is not None and not self._by_key else None
        if timer is not None:
            due = min(due, self._clock.monotonic() + max(0, timer + 1 - self._clock.now_ms()) / 1000)
        return due

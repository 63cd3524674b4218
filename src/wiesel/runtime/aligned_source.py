"""A source task's input under watermark alignment (Flink docs: "Watermark Alignment").

It reports its event time, is told in answer how far its splits may go, and pauses those that are further.
"""

from __future__ import annotations

from collections.abc import Callable

from wiesel.core.contracts import Clock, SourceBatch, SourceReader
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
from wiesel.core.watermarks import Alignment, WatermarkStrategy
from wiesel.runtime.source_input import SourceInput


class AlignedSourceInput(SourceInput):
    """``SourceInput`` that keeps within the drift of its group.

    A split is paused as soon as its own event time is beyond the limit. The reader is asked for nothing while that is
    so of all its splits; those of readers that cannot pause a single one are so held back together.

    Args:
        reader, strategy, clock: see ``SourceInput``.
        alignment: the strategy's.
        report: takes the event time of all splits, None when they are idle and hold nobody back.
    """

    def __init__(
        self,
        reader: SourceReader,
        strategy: WatermarkStrategy,
        clock: Clock,
        alignment: Alignment,
        report: Callable[[int | None], None],
    ) -> None:
        super().__init__(reader, strategy, clock)
        self._report = report
        self._interval = alignment.update_interval_ms / 1000
        self._next_report_at = clock.monotonic() + self._interval
        self._limit = MAX_WATERMARK
        self._paused: frozenset[str] = frozenset()

    def limit(self, max_watermark: int) -> None:
        """Let splits go as far as ``max_watermark``."""
        self._limit = max_watermark
        self._pause()

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next batch, unless all splits are beyond the limit."""
        if self._paused and len(self._paused) == len(self._generators):
            return None
        batch = super().poll(max_records)
        if batch is not None:
            self._pause()
        return batch

    def next_watermark(self) -> tuple[int | None, bool | None]:
        """See ``SourceInput``; a report is made when its interval is over."""
        self._pause()  # one of them may have ended
        for split_id in self._paused:
            self._generators[split_id].hold()
        risen = super().next_watermark()
        now = self._clock.monotonic()
        # Without an event time of its own it neither reports nor holds anybody back, as in Flink.
        if now >= self._next_report_at and (self._idle or self._watermark > MIN_TIMESTAMP):
            self._next_report_at = now + self._interval
            self._report(None if self._idle else self._watermark)
        return risen

    def _pause(self) -> None:
        ahead = frozenset(id for id, generator in self._generators.items() if generator.current() > self._limit)
        if ahead != self._paused:
            self._paused = ahead
            self.reader.pause(ahead)

"""A source task's input: its reader, and a watermark generator for each split."""

from __future__ import annotations

from collections.abc import Sequence

from wiesel.core.contracts import Clock, SourceBatch, SourceReader, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.runtime.held_back import InputTime
from wiesel.runtime.watermarks import WatermarkGenerator, combine


class SourceInput:
    """Reads batches and keeps event time by split.

    A Python timestamp assigner given to ``from_source`` is ignored, as PyFlink ignores it (the API warns).
    """

    def __init__(self, reader: SourceReader, strategy: WatermarkStrategy, clock: Clock) -> None:
        self.reader = reader
        self._strategy = strategy
        self._clock = clock
        self._generators: dict[str, WatermarkGenerator] = {}
        self._watermark = MIN_TIMESTAMP
        self._idle = False
        self._assigned = False

    def add_splits(self, splits: Sequence[SourceSplit]) -> None:
        """Give the reader more splits, or tell it that it has none for now.

        Each holds the watermark back until it has records or is idle.
        """
        self._assigned = True
        if not splits:
            return
        for split in splits:
            self._generators[split.split_id] = WatermarkGenerator(self._strategy, self._clock)
        self.reader.add_splits(splits)

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next batch and note its highest timestamp."""
        batch = self.reader.poll(max_records)
        if batch is not None and self._strategy.out_of_orderness_ms is not None:
            generator = self._generators.get(batch.split_id)
            if generator is None:  # a split whose turn comes only now (``HybridSource``)
                generator = self._generators[batch.split_id] = WatermarkGenerator(self._strategy, self._clock)
            if batch.values:
                generator.observe(max(batch.timestamps))
        for split_id in self.reader.finished_splits():
            self._generators.pop(split_id, None)
        return batch

    def input_times(self) -> list[InputTime]:
        """Return the event time of each split, none without event time."""
        if self._strategy.out_of_orderness_ms is None:
            return []
        return [generator.input_time(split_id) for split_id, generator in self._generators.items()]

    def next_watermark(self) -> tuple[int | None, bool | None]:
        """Return the new watermark if it has risen, and the new idle status if it has changed.

        Called every watermark interval. A reader without splits is idle, so that it holds nobody back; but not before
        it was told so: the others may be ahead by then, and what its splits hold would be late.
        """
        if self._strategy.out_of_orderness_ms is None or not self._assigned:
            return None, None
        generators = self._generators.values()
        watermark, idle = combine((g.current(), g.check_idle()) for g in generators)
        changed = None
        if idle != self._idle:
            self._idle = changed = idle
        if watermark is None or watermark <= self._watermark:
            return None, changed
        self._watermark = watermark
        return watermark, changed

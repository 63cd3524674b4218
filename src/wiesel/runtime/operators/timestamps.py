"""``assign_timestamps_and_watermarks``: takes each record's event time and makes watermarks of its own."""

from __future__ import annotations

from typing import Any

from wiesel.core.contracts import Emit
from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.operator_specs import TimestampsSpec
from wiesel.runtime.operators.base import Operator
from wiesel.runtime.watermarks import WatermarkGenerator, with_advance


class TimestampsOperator(Operator):
    """``TimestampsSpec``. The upstream's watermarks end here, but for the last one, which ends event time."""

    def __init__(self, spec: TimestampsSpec) -> None:
        self._strategy = spec.watermark_strategy

    def open(self) -> None:
        """Make the generator."""
        strategy = with_advance(self._strategy, self.context.configuration)
        self.generator = WatermarkGenerator(strategy, self.context.clock)

    def bind(self, input_index: int) -> Emit:
        """Return a callable that sets the timestamp and tells the generator."""
        out = self.out
        observe = self.generator.observe
        assigner = self._strategy.timestamp_assigner
        if assigner is None:

            def pass_one(value: Any, timestamp: int) -> None:
                observe(timestamp)
                out(value, timestamp)

            return pass_one
        extract = assigner.extract_timestamp

        def stamp_one(value: Any, timestamp: int) -> None:
            timestamp = extract(value, timestamp)
            observe(timestamp)
            out(value, timestamp)

        return stamp_one

    def next_watermark(self) -> tuple[int | None, bool | None]:
        """Return the new watermark if it has risen, and the new idle status if it has changed."""
        was_idle = self.generator.idle
        idle = self.generator.check_idle()
        watermark = self.generator.current()
        changed = idle if idle != was_idle else None
        if watermark <= self.current_watermark:
            return None, changed
        self.current_watermark = watermark
        return watermark, changed

    def on_watermark(self, watermark: int) -> None:
        """Take only the last watermark of the upstream."""
        if watermark == MAX_WATERMARK:
            self.current_watermark = watermark

    def passes_watermark(self, watermark: int) -> bool:
        """Whether an upstream watermark goes on: only the last one."""
        return watermark == MAX_WATERMARK

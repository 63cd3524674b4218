"""Watermark strategies and timestamp assigners (mirrors ``pyflink.common.watermark_strategy``)."""

from __future__ import annotations

from typing import Any

from wiesel.core.errors import UnsupportedError
from wiesel.core.time import Duration
from wiesel.core.watermarks import TimestampAssigner, WatermarkStrategy

__all__ = ["AssignerWithPeriodicWatermarksWrapper", "Duration", "TimestampAssigner", "WatermarkStrategy"]


class AssignerWithPeriodicWatermarksWrapper:
    """PyFlink's wrapper of a Java assigner; it cannot be made here."""

    def __init__(self, j_assigner_with_periodic_watermarks: Any) -> None:
        raise UnsupportedError(
            "There is no Java assigner to wrap here; use WatermarkStrategy.with_timestamp_assigner()."
        )

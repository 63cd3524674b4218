"""``Duration``, ``Instant`` and ``Time`` (mirrors ``pyflink.common.time``)."""

from wiesel.core.time import Duration, Instant, Time

__all__ = ["Duration", "Instant", "Time"]

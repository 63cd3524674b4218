"""The real clock; tests and the simulator bring their own."""

from __future__ import annotations

import time


class SystemClock:
    """Wall clock and monotonic clock of the machine."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

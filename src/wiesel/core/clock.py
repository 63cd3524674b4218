"""Time: what the engine asks for, and the real clock; tests and the simulator bring their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Time, injected so that tests and the simulator can turn it."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""


class SystemClock:
    """Wall clock and monotonic clock of the machine."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

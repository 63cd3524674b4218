"""A clock that stands still until a test, or the simulator, turns it."""

from __future__ import annotations


class ManualClock:
    """Both clocks of ``core.contracts.Clock``, in whole milliseconds."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the milliseconds it was turned to."""
        return self._now_ms

    def monotonic(self) -> float:
        """Return the same time in seconds."""
        return self._now_ms / 1000

    def advance(self, ms: int) -> None:
        """Turn it on."""
        assert ms >= 0, "time does not go back"
        self._now_ms += ms

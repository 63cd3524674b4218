"""A clock that stands still until a test turns it."""

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
        """Turn it on by so many milliseconds."""
        self.set(self._now_ms + ms)

    def set(self, now_ms: int) -> None:
        """Turn it to a time.

        Raises:
            ValueError: the time lies before the one that it shows.
        """
        if now_ms < self._now_ms:
            raise ValueError(f"Time does not go back: it is {self._now_ms}, and {now_ms} is earlier.")
        self._now_ms = now_ms

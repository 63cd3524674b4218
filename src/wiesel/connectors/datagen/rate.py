"""How fast a source may go (Flink: ``RateLimiterStrategy``)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wiesel.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Records a second of the whole source.

    Args:
        records_per_second: infinite for no limit.
    """

    records_per_second: float = math.inf

    def __post_init__(self) -> None:
        if not self.records_per_second > 0:
            raise ConfigurationError(f"A rate must be above 0 records a second, got {self.records_per_second}.")


class Allowance:
    """What one reader may still hand out: a bucket that fills with time and holds a tenth of a second.

    Args:
        records_per_second: how fast it fills.
        now: the time in seconds that never goes back.
    """

    def __init__(self, records_per_second: float, now: float) -> None:
        self._rate = records_per_second
        self._most = max(1.0, records_per_second / 10)
        self._left = 1.0
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """Return how many records may be handed out now, at most ``wanted``, and count them."""
        if self._rate == math.inf:
            return wanted
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted

    def seconds_to_next(self) -> float:
        """Return how long it takes until one record more may be handed out."""
        return max(0.0, (1.0 - self._left) / self._rate)

"""Watermark generation for one input, and the minimum over several with idleness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Clock
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.options import catalog, optional_value_of
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.runtime.held_back import InputTime

#: Seconds between two looks at most that count as silence of the input.
_LONGEST_LOOK: Final = 1.0


class WatermarkGenerator:
    """Watermarks of one split or subtask: the highest timestamp, less the out-of-orderness, less one millisecond.

    It is told the highest timestamp of each batch (or each record) and asked every watermark interval.
    """

    __slots__ = (
        "_active", "_advance_after", "_checked_at", "_clock", "_delay", "_idle_timeout", "_last_active", "_max",
        "_quiet", "idle",
    )  # fmt: skip

    def __init__(self, strategy: WatermarkStrategy, clock: Clock) -> None:
        self._delay = strategy.out_of_orderness_ms
        self._idle_timeout = strategy.idle_timeout_ms
        self._clock = clock
        self._max = MIN_TIMESTAMP
        self._active = True
        self._last_active = self._checked_at = clock.monotonic()
        self._advance_after = strategy.advance_after_ms
        self._quiet = 0.0
        self.idle = False

    @property
    def quiet_seconds(self) -> float:
        """For how long there has been no record, without the time in which nobody could have taken one."""
        return 0.0 if self._active else self._quiet

    def observe(self, timestamp: int) -> None:
        """Learn of a record (or of a batch by its highest timestamp)."""
        self._active = True
        if timestamp > self._max:  # max() costs three times as much, for every record
            self._max = timestamp

    def current(self) -> int:
        """Return the watermark as of now, ``MIN_TIMESTAMP`` when there is none."""
        if self._delay is None or self._max == MIN_TIMESTAMP:
            return MIN_TIMESTAMP
        quiet_ms = int(self._quiet * 1000)
        if self._advance_after is not None and not self._active and quiet_ms >= self._advance_after:
            # The user's choice: event time goes on with the wall clock, and records that come after all are late.
            return self._max + quiet_ms - self._delay - 1
        return self._max - self._delay - 1

    def check_idle(self) -> bool:
        """Return whether the input has been without a record for the idle timeout; call it at every interval."""
        now = self._clock.monotonic()
        # A task that is back-pressured does not look: what it could not read must not count as silence.
        self._quiet = 0.0 if self._active else self._quiet + min(now - self._checked_at, _LONGEST_LOOK)
        self._checked_at = now
        if self._active:
            self._active = False
            self._last_active = now
            self.idle = False
        elif self._advance_after is not None and self._quiet * 1000 >= self._advance_after:
            self.idle = self._max == MIN_TIMESTAMP  # with a time of its own it is not idle: it goes with the clock
        elif self._idle_timeout is not None and (now - self._last_active) * 1000 >= self._idle_timeout:
            self.idle = True
        return self.idle

    def input_time(self, name: str) -> InputTime:
        """Return its event time for a diagnosis."""
        watermark = self.current()
        return InputTime(name, None if watermark == MIN_TIMESTAMP else watermark, self.quiet_seconds, self.idle)

    def hold(self) -> None:
        """Let the time that the input is paused not count as idleness; call it at every interval of the pause."""
        self._active = True


def with_advance(strategy: WatermarkStrategy, configuration: Configuration) -> WatermarkStrategy:
    """Return the strategy with what the job's configuration adds to it."""
    after = optional_value_of(configuration, catalog.WATERMARK_ADVANCE_AFTER)
    return replace(strategy, advance_after_ms=after) if after is not None else strategy


def combine(inputs: Iterable[tuple[int, bool]]) -> tuple[int | None, bool]:
    """Return the minimum watermark over the inputs that are not idle, and whether all are idle.

    Args:
        inputs: pairs of (watermark, idle).
    """
    active = [watermark for watermark, idle in inputs if not idle]
    return (min(active), False) if active else (None, True)

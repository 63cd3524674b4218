"""The receiving end of a task: takes elements from its channels in turn, and aligns barriers and watermarks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from wiesel.core.elements import (
    MIN_TIMESTAMP,
    Batch,
    CheckpointBarrier,
    EndOfInput,
    EndOfKey,
    Watermark,
    WatermarkStatus,
)
from wiesel.runtime.exchange.channel import ReceivingEnd


@dataclass(slots=True)
class _InputChannel:
    channel: ReceivingEnd
    input_index: int
    watermark: int = MIN_TIMESTAMP
    idle: bool = False
    ended: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class InputBatch:
    """A batch and the logical input of the operator it belongs to."""

    input_index: int
    batch: Batch


#: What ``next`` hands on: records, or a control element that now holds for the whole gate.
GateEvent = InputBatch | Watermark | WatermarkStatus | CheckpointBarrier | EndOfKey | EndOfInput


class InputGate:
    """All channels into one subtask.

    Args:
        channels: pairs of a channel and the logical input it feeds.
    """

    def __init__(self, channels: Sequence[tuple[ReceivingEnd, int]]) -> None:
        self._channels = [_InputChannel(channel, index) for channel, index in channels]
        self._position = 0
        self._watermark = MIN_TIMESTAMP
        self._idle = False
        self._ready: deque[GateEvent] = deque()
        self._aligning: int | None = None
        self._last_barrier = 0

    def next(self) -> GateEvent | None:
        """Return the next thing to do, or None when nothing is there; channels take turns."""
        if self._ready:
            return self._ready.popleft()
        channels = self._channels
        untouched = len(channels)  # how many more have to be found empty: a barrier may free one passed already
        while untouched:
            untouched -= 1
            current = channels[self._position]
            self._position = (self._position + 1) % len(channels)
            while not current.blocked:
                element = current.channel.poll()
                if element is None:
                    break
                if type(element) is Batch:
                    return InputBatch(current.input_index, element)
                untouched = len(channels)
                event = self._control(current, element)
                if event is not None:
                    return event
        return None

    @property
    def bytes_in(self) -> int:
        """Bytes of the records that came from other processes."""
        return sum(current.channel.bytes_received for current in self._channels)

    def is_empty(self) -> bool:
        """Whether nothing can be taken now."""
        return all(c.blocked or c.channel.is_empty() for c in self._channels)

    def close(self) -> None:
        """Nothing is kept here."""

    def _control(self, current: _InputChannel, element: object) -> GateEvent | None:
        if isinstance(element, Watermark):
            current.watermark = element.timestamp
            return self._advance()
        if isinstance(element, WatermarkStatus):
            current.idle = element.idle
            return self._advance()
        if isinstance(element, CheckpointBarrier):
            return self._align(current, element)
        current.ended = True
        return EndOfInput() if all(c.ended for c in self._channels) else None

    def _advance(self) -> GateEvent | None:
        active = [c.watermark for c in self._channels if not c.idle]
        if bool(active) == self._idle:
            return self._turn(idle=not active)
        # A channel that was idle meanwhile may lag behind. Its records are late anyway, so it does not count yet.
        watermark = min((w for w in active if w >= self._watermark), default=self._watermark)
        return self._rise(watermark)

    def _turn(self, idle: bool) -> GateEvent:
        self._idle = idle
        status = WatermarkStatus(idle)
        # Nobody holds event time back any more, so it reaches the highest of all before the gate goes idle.
        risen = self._rise(max(c.watermark for c in self._channels)) if idle else None
        if risen is None:
            return status
        self._ready.append(status)
        return risen

    def _rise(self, watermark: int) -> Watermark | None:
        if watermark <= self._watermark:
            return None
        self._watermark = watermark
        return Watermark(watermark)

    def _align(self, current: _InputChannel, barrier: CheckpointBarrier) -> GateEvent | None:
        """Hold a channel at its barrier until all have come; a later checkpoint's barrier ends an older alignment."""
        if barrier.checkpoint_id <= self._last_barrier:
            return None
        if self._aligning != barrier.checkpoint_id:
            if self._aligning is not None and barrier.checkpoint_id < self._aligning:
                return None
            self._aligning = barrier.checkpoint_id
            for channel in self._channels:
                channel.blocked = False
        current.blocked = True
        if not all(c.blocked for c in self._channels):
            return None
        for channel in self._channels:
            channel.blocked = False
        self._aligning = None
        self._last_barrier = barrier.checkpoint_id
        return barrier

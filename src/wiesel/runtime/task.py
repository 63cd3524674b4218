"""The task: one subtask of one chain, and the loop's single step. This is the heart; keep it small.

A step takes the next thing there is (mail, a due timer, a watermark to fire, an input) and handles at most
``STEP_RECORDS`` records or timers. It never waits. A task whose output has no credit is not given input.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import length_hint
from typing import Final

from wiesel.core.contracts import Clock, SourceSplit
from wiesel.core.elements import MAX_WATERMARK, CheckpointBarrier, EndOfInput, Watermark, WatermarkStatus
from wiesel.runtime.chain import OperatorChain
from wiesel.runtime.exchange.input_gate import InputBatch, InputGate
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.snapshots import TaskSnapshot
from wiesel.runtime.source_input import SourceInput

STEP_RECORDS: Final = 512


class Task:
    """One running subtask.

    Args:
        chain: its operators.
        source: its reader, for a source task; else None.
        gate: its input channels; None for a source task.
        writers: its outgoing edges.
        clock: time.
        watermark_interval_ms: how often watermarks are emitted.
        take_snapshot: called at a barrier, after it was sent on; returns the task's part of the checkpoint.
        snapshot_written: called when all slices of a snapshot are written.
        input_ended: called once when the whole input is processed.
    """

    def __init__(
        self,
        chain: OperatorChain,
        source: SourceInput | None,
        gate: InputGate | None,
        writers: list[RecordWriter],
        clock: Clock,
        watermark_interval_ms: int,
        take_snapshot: Callable[[int], TaskSnapshot],
        snapshot_written: Callable[[TaskSnapshot], None],
        input_ended: Callable[[], None],
    ) -> None:
        self.chain = chain
        self.source = source
        self.records_in = 0
        self.watermark: int | None = None
        self.locate: Callable[[], str | None] = lambda: None
        self._gate = gate
        self._writers = writers
        self._clock = clock
        self._interval = watermark_interval_ms / 1000
        self._next_watermark_at = clock.monotonic() + self._interval
        self._take_snapshot = take_snapshot
        self._snapshot_written = snapshot_written
        self._report_end = input_ended
        self._mail: deque[Callable[[], None]] = deque()
        self._snapshot: TaskSnapshot | None = None
        self._firing: int | None = None
        self._suspended = False
        self._input_over = False
        self._ended = False
        self._sinks = [sink for _, sink in chain.sinks()]
        backend = chain.backend
        self._run_keyed = [backend.bind_keyed(emit) for emit in chain.inputs] if backend is not None else None
        self._passthrough = source is not None and not chain.vertex.links and len(writers) == 1

    # ---------------------------------------------------------------------------------------------- the step

    def step(self) -> bool:
        """Do the next thing; return whether there was anything to do."""
        worked = bool(self._mail)
        while self._mail:
            self._mail.popleft()()
        worked = self._write_slice() or worked
        if not self.has_credit():
            return worked
        if self._firing is not None:
            self._fire_event_timers()
            worked = True
        else:
            worked = self._fire_processing_timers() or worked
            if self._clock.monotonic() >= self._next_watermark_at:
                self._emit_periodic_watermarks()
            worked = self._input() or worked
        for writer in self._writers:
            writer.flush()
        return worked

    def has_credit(self) -> bool:
        """Whether every output has room, so that the task may take input."""
        return all(writer.has_credit() for writer in self._writers) and all(s.is_available() for s in self._sinks)

    def next_due(self) -> float | None:
        """Return the monotonic time at which the task wants to be stepped even without input."""
        due = self._next_watermark_at if self.source is not None or self.chain.makes_watermarks else None
        backend = self.chain.backend
        timer = backend.next_processing_time() if backend is not None else None
        if timer is not None:
            at = self._clock.monotonic() + max(0, timer + 1 - self._clock.now_ms()) / 1000
            due = at if due is None else min(due, at)
        return due

    # ------------------------------------------------------------------------------------------------- input

    def _input(self) -> bool:
        if self.source is None:
            return self._read_gate()  # barriers still come behind the end of the input
        return not (self._input_over or self._suspended) and self._read_source()

    def _read_source(self) -> bool:
        assert self.source is not None
        batch = self.source.poll(STEP_RECORDS)
        if batch is not None:
            self.records_in += len(batch.values)
            if self._passthrough:
                self._writers[0].emit_batch(batch.values, batch.timestamps)
            else:
                emit = self.chain.inputs[0]
                values = iter(batch.values)
                self.locate = lambda: _place(batch.locate, len(batch.values) - length_hint(values) - 1)
                for value, timestamp in zip(values, batch.timestamps, strict=True):
                    emit(value, timestamp)
            return True
        if self.source.reader.is_finished():
            self._end_of_input()
            return True
        return False

    def _read_gate(self) -> bool:
        assert self._gate is not None
        handled = 0
        while handled < STEP_RECORDS and self._firing is None:
            event = self._gate.next()
            if event is None:
                return handled > 0
            handled += 1
            if type(event) is InputBatch:
                self._process(event)
                handled += len(event.batch)
            elif type(event) is Watermark:
                self._begin_watermark(event.timestamp)
            elif type(event) is WatermarkStatus:
                self.chain.emit_head_status(event.idle)
            elif type(event) is CheckpointBarrier:
                self._barrier(event)
            else:
                self._end_of_input()
        return True

    def _process(self, event: InputBatch) -> None:
        batch = event.batch
        self.records_in += len(batch.values)
        if batch.keys is not None and self._run_keyed is not None:
            self._run_keyed[event.input_index](batch.values, batch.timestamps, batch.keys)
            return
        emit = self.chain.inputs[event.input_index]
        for value, timestamp in zip(batch.values, batch.timestamps, strict=True):
            emit(value, timestamp)

    # --------------------------------------------------------------------------------------- time and timers

    def _begin_watermark(self, watermark: int) -> None:
        self.watermark = watermark
        if self.chain.head is not None:
            self.chain.head.on_watermark(watermark)
        self._firing = watermark
        if self.chain.backend is None:
            self._fire_event_timers()

    def _fire_event_timers(self) -> None:
        """Fire due timers, as many as a step may; when none is left the watermark goes on down the chain."""
        watermark, backend, head = self._firing, self.chain.backend, self.chain.head
        assert watermark is not None
        if backend is not None and head is not None:
            due = backend.pop_event_timers(watermark, STEP_RECORDS)
            for timestamp, key, namespace in due:
                backend.set_current_key(key)
                head.on_event_timer(timestamp, namespace)
            if due:
                return
        self._firing = None
        self.chain.emit_head_watermark(watermark)
        if self._input_over:
            self._finish()

    def _fire_processing_timers(self) -> bool:
        backend, head = self.chain.backend, self.chain.head
        if backend is None or head is None or self._input_over or self._suspended:
            return False
        due_at = backend.next_processing_time()
        now = self._clock.now_ms()
        if due_at is None or due_at >= now:
            return False
        for timestamp, key, namespace in backend.pop_processing_timers(now - 1, STEP_RECORDS):
            backend.set_current_key(key)
            head.on_processing_timer(timestamp, namespace)
        return True

    def _emit_periodic_watermarks(self) -> None:
        self._next_watermark_at = self._clock.monotonic() + self._interval
        if self._input_over or self._suspended:
            return
        if self.source is not None:
            watermark, idle = self.source.next_watermark()
            if idle is not None:
                self.chain.emit_status(idle)
            if watermark is not None:
                self.watermark = watermark
                self.chain.emit_watermark(watermark)
        self.chain.periodic_watermarks()

    def _end_of_input(self) -> None:
        """Event time is over: every timer fires before the operators are told and the end goes on."""
        self._input_over = True
        self._begin_watermark(MAX_WATERMARK)

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            self.chain.finish()
            for writer in self._writers:
                writer.broadcast(EndOfInput())
            self._report_end()

    # ------------------------------------------------------------------------------------------- checkpoints

    def _barrier(self, barrier: CheckpointBarrier) -> None:
        self._suspended = self._suspended or barrier.suspend
        for writer in self._writers:
            writer.broadcast(barrier)
        if self._snapshot is not None:
            self._snapshot.abort()
        self._snapshot = self._take_snapshot(barrier.checkpoint_id)

    def _write_slice(self) -> bool:
        snapshot = self._snapshot
        if snapshot is None:
            return False
        if snapshot.write_slice():
            self._snapshot = None
            self._snapshot_written(snapshot)
        return True

    def trigger_checkpoint(self, checkpoint_id: int, suspend: bool) -> None:
        """Take a checkpoint at the next step (sources); ``suspend`` stops reading behind its barrier."""
        self._mail.append(lambda: self._barrier(CheckpointBarrier(checkpoint_id, suspend)))

    def notify_checkpoint_complete(self, splits: list[SourceSplit]) -> None:
        """Tell the reader that the checkpoint with these positions is complete."""
        if self.source is not None:
            reader = self.source.reader
            self._mail.append(lambda: reader.notify_checkpoint_complete(splits))

    def add_splits(self, splits: list[SourceSplit], no_more: bool) -> None:
        """Give the reader splits, and say whether any more can come."""
        source = self.source
        assert source is not None

        def add() -> None:
            if splits:
                source.add_splits(splits)
            if no_more:
                source.reader.no_more_splits()

        self._mail.append(add)

    def close(self, suppress: bool = False) -> None:
        """Close reader and operators."""
        if self.source is not None:
            self.source.reader.close()
        self.chain.close(suppress)


def _place(locate: Callable[[int], str] | None, index: int) -> str | None:
    return None if locate is None else locate(max(index, 0))

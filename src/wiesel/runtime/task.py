"""The task: one subtask of one chain, and the loop's single step. This is the heart; keep it small.

A step takes the next thing there is (mail, a due timer, a watermark to fire, an input) and handles at most
``step_records`` records or timers. It never waits. A task whose output has no credit is not given input.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from wiesel.core.contracts import Clock, SourceSplit
from wiesel.core.elements import (
    MAX_WATERMARK,
    Batch,
    CheckpointBarrier,
    EndOfInput,
    EndOfKey,
    Watermark,
    WatermarkStatus,
)
from wiesel.runtime.aligned_source import AlignedSourceInput
from wiesel.runtime.chain import OperatorChain
from wiesel.runtime.exchange.input_gate import InputBatch, InputGate
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.record_entry import RecordEntry
from wiesel.runtime.source_input import SourceInput
from wiesel.runtime.task_checkpoints import TaskCheckpoints
from wiesel.runtime.time_service import TimeService

if TYPE_CHECKING:
    from wiesel.runtime.exchange.sorting_gate import SortingGate

#: Records or timers in a step, unless they take long (``cluster/step_timer.py``).
STEP_RECORDS: Final = 512
#: Seconds between two looks at a sink that takes nothing: unlike a channel it has no reader that is stepped anyway.
_SINK_POLL: Final = 0.001


class Task:
    """One running subtask.

    Args:
        chain: its operators.
        source: its reader, for a source task; else None.
        gate: its input channels, sorted in BATCH mode; None for a source task.
        writers: its outgoing edges.
        clock: time.
        time: its timers and watermarks.
        checkpoints: its part in checkpoints.
        input_ended: called once when the whole input is processed.
    """

    def __init__(
        self,
        chain: OperatorChain,
        source: SourceInput | None,
        gate: InputGate | SortingGate | None,
        writers: list[RecordWriter],
        clock: Clock,
        time: TimeService,
        checkpoints: TaskCheckpoints,
        input_ended: Callable[[], None],
    ) -> None:
        self.chain = chain
        self.source = source
        self.time = time
        self._gate = gate
        self._writers = writers
        self._clock = clock
        self._checkpoints = checkpoints
        self._report_end = input_ended
        #: Most records or timers in a step; whoever times the steps may change it.
        self.step_records = STEP_RECORDS
        #: A batch that is too long for one step, and how many of its records were processed.
        self._long: InputBatch | None = None
        self._position = 0
        self._mail: deque[Callable[[], None]] = deque()
        self._complete: list[SourceSplit] | None = None
        self._starved = False
        self._suspended = False
        self._input_over = False
        self._ended = False
        self._sinks = [sink for _, sink in chain.sinks()]
        self._idle_listeners = [listen for sink in self._sinks if (listen := sink.idle_listener()) is not None]
        self._asynchronous = bool(chain.asynchronous)
        self._entry = RecordEntry(chain, writers, is_source=source is not None)

    @property
    def records_in(self) -> int:
        """How many records it has taken."""
        return self._entry.count

    @property
    def records_out(self) -> int:
        """How many records it has sent to other tasks."""
        return sum(writer.records_out for writer in self._writers)

    @property
    def bytes_in(self) -> int:
        """How many bytes of records have come from other processes."""
        return 0 if self._gate is None else self._gate.bytes_in

    @property
    def bytes_out(self) -> int:
        """How many bytes of records have gone to other processes."""
        return sum(writer.bytes_out for writer in self._writers)

    @property
    def is_back_pressured(self) -> bool:
        """Whether an output had no room at the last step."""
        return self._starved

    def locate(self) -> str | None:
        """Return where the record being processed came from, for error messages."""
        return self._entry.locate()

    def step(self) -> bool:
        """Do the next thing; return whether there was anything to do."""
        worked = bool(self._mail)
        while self._mail:
            self._mail.popleft()()
        worked = self._checkpoints.write_slice() or worked
        self._starved = not self.has_credit()
        if self._starved:
            return worked
        if self._asynchronous and not self._suspended:
            worked = self._emit_completed() or worked
        if self._asynchronous and not self.chain.is_available():
            pass  # an operator waits for as many answers as it may; one of them wakes the task
        elif self.time.is_firing:
            self._fire_event_timers()
            worked = True
        else:
            if not (self._input_over or self._suspended):
                worked = self.time.fire_processing_timers(self.step_records) or worked
                worked = self.time.emit_periodic_watermarks() or worked
            worked = self._input() or worked
        for writer in self._writers:
            writer.flush()
        if not worked:
            for listen in self._idle_listeners:
                listen()
        return worked

    def has_credit(self) -> bool:
        """Whether every output has room, so that the task may take input."""
        return all(writer.has_credit() for writer in self._writers) and all(s.is_available() for s in self._sinks)

    def next_due(self) -> float:
        """Return the monotonic time at which the task wants to be stepped even without mail or input."""
        if self._starved:
            return self._clock.monotonic() + _SINK_POLL if self._sinks else float("inf")
        return float("inf") if self._input_over or self._suspended else self.time.next_due()

    # ------------------------------------------------------------------------------------------------- input

    def _input(self) -> bool:
        if self.source is None:
            return self._read_gate()  # barriers still come behind the end of the input
        return not (self._input_over or self._suspended) and self._read_source(self.source)

    def _read_source(self, source: SourceInput) -> bool:
        batch = source.poll(self.step_records)
        if batch is not None:
            self._entry.source_batch(batch)
        elif source.reader.is_finished():
            self._end_of_input()
        else:
            return False
        return True

    def _read_gate(self) -> bool:
        assert self._gate is not None
        if self._long is not None:
            self._process_part(self._long)
            return True
        handled = 0
        while handled < self.step_records and not self.time.is_firing:
            event = self._gate.next()
            if event is None:
                return handled > 0
            handled += 1
            if type(event) is InputBatch:
                count = len(event.batch)
                if count > 2 * self.step_records:  # a few more than wanted are no reason to copy lists
                    self._process_part(event)
                    return True
                self._entry.input_batch(event)
                handled += count
            elif type(event) is Watermark:
                self._begin_watermark(event.timestamp)
            elif type(event) is WatermarkStatus:
                self.chain.emit_head_status(event.idle)
            elif type(event) is CheckpointBarrier:
                self._barrier(event)
            elif type(event) is EndOfKey:
                self.time.begin_end_of_key()
                self._fire_event_timers()
            else:
                self._end_of_input()
        return True

    def _process_part(self, event: InputBatch) -> None:
        """Process as much of a long batch as a step may; what is behind it in the gate waits for the rest."""
        begin, batch = self._position, event.batch
        end = begin + self.step_records
        keys = None if batch.keys is None else batch.keys[begin:end]
        # Noted first: a function that raises ends the attempt, and nothing of the batch is looked at again.
        self._long, self._position = (event, end) if end < len(batch) else (None, 0)
        part = Batch(batch.values[begin:end], batch.timestamps[begin:end], keys)
        self._entry.input_batch(InputBatch(event.input_index, part))

    def _emit_completed(self) -> bool:
        """Emit what asynchronous operators have completed; with the last of it an input that is over ends."""
        worked = self.chain.emit_completed()
        if self._input_over and not self.time.is_firing:
            self._finish()
        return worked

    # ---------------------------------------------------------------------------------------------- event time

    def _begin_watermark(self, watermark: int) -> None:
        self.time.begin_watermark(watermark)
        if self.chain.backend is None:  # no timers, so nothing that could take long
            self._fire_event_timers()

    def _fire_event_timers(self) -> None:
        if self.time.fire_event_timers(self.step_records) and self._input_over:
            self._finish()

    def _end_of_input(self) -> None:
        """Event time is over: every timer fires before the operators are told and the end goes on."""
        self._input_over = True
        self._begin_watermark(MAX_WATERMARK)

    def _finish(self) -> None:
        if not self._ended and self.chain.is_idle():
            self._ended = True
            self.chain.finish()
            for writer in self._writers:
                writer.broadcast(EndOfInput())
            self._report_end()

    # -------------------------------------------------------------------------------------- barriers and mail

    def _barrier(self, barrier: CheckpointBarrier) -> None:
        self._suspended = self._suspended or barrier.suspend
        for writer in self._writers:
            writer.broadcast(barrier)
        self._checkpoints.begin(barrier.checkpoint_id)

    def trigger_checkpoint(self, checkpoint_id: int, suspend: bool) -> None:
        """Take a checkpoint at the next step (sources); ``suspend`` stops reading behind its barrier."""
        self._mail.append(lambda: self._barrier(CheckpointBarrier(checkpoint_id, suspend)))

    def end_input(self) -> None:
        """Let a source read no more, as if its input were over; other tasks learn of that by their input."""
        if self.source is not None:
            self._mail.append(lambda: None if self._input_over or self._suspended else self._end_of_input())

    def notify_checkpoint_complete(self, splits: list[SourceSplit]) -> None:
        """Tell the reader that the checkpoint with these positions is complete."""
        if self.source is not None:
            self._complete = splits
            self._mail.append(self._tell_complete)

    def _tell_complete(self) -> None:
        splits, self._complete = self._complete, None
        if splits is not None and self.source is not None:
            self.source.reader.notify_checkpoint_complete(splits)

    def add_splits(self, splits: list[SourceSplit], no_more: bool) -> None:
        """Give the reader splits, and say whether any more can come."""
        source = self.source
        assert source is not None

        def add() -> None:
            source.add_splits(splits)
            if no_more:
                source.reader.no_more_splits()

        self._mail.append(add)

    def limit_watermark(self, max_watermark: int) -> None:
        """Hold splits back whose event time is beyond ``max_watermark`` (watermark alignment)."""
        source = self.source
        assert isinstance(source, AlignedSourceInput), "only aligned sources report, and only they are told a limit"
        self._mail.append(lambda: source.limit(max_watermark))

    def close(self, suppress: bool = False) -> None:
        """Close checkpoint files, reader and operators, whatever one of them raises."""
        self._checkpoints.close()
        if self._gate is not None:
            self._gate.close()
        try:
            # The job's last checkpoint is complete just before its end, when there is no further step.
            self._tell_complete()
        finally:
            try:
                if self.source is not None:
                    self.source.reader.close()
            finally:
                self.chain.close(suppress)

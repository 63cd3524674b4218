"""A task's steps: what one takes, what holds it back, and its part in checkpoints."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sinks import PublishingSink
from tests.support.tasks import TaskHarness
from wiesel.common import Duration, Types, WatermarkStrategy
from wiesel.connectors.collections.number_sequence import NumberSequenceReader, NumberSequenceSpec
from wiesel.core.contracts import SourceContext
from wiesel.core.elements import MAX_WATERMARK, CheckpointBarrier, EndOfInput, Watermark, WatermarkStatus
from wiesel.datastream import KeyedProcessFunction, MapFunction, RuntimeContext
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.runtime.chain import KeyedRestore, OperatorRestore
from wiesel.runtime.operators.stateless import MapOperator
from wiesel.runtime.reports import CheckpointAcknowledged, CheckpointDeclined
from wiesel.runtime.task import STEP_RECORDS
from wiesel.testing.in_memory_sink import values_of


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()


class TimerAtValue(KeyedProcessFunction):
    """Registers a timer of both kinds at each value and tells when they fire."""

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        ctx.timer_service().register_event_time_timer(value)
        ctx.timer_service().register_processing_time_timer(value)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Any]:
        yield ctx.time_domain().name, timestamp, ctx.get_current_key()


def keyed(function: KeyedProcessFunction) -> TaskHarness:
    """The task behind a key_by, whose output goes to another task."""
    return TaskHarness(
        lambda env: env.from_collection([]).key_by(lambda v: v).process(function).disable_chaining().print(), 1
    )


def numbers(last: int, strategy: WatermarkStrategy | None = None, **options: Any) -> TaskHarness:
    """A source task whose records go to another task."""
    strategy = strategy or WatermarkStrategy.no_watermarks()
    return TaskHarness(
        lambda env: env.from_source(NumberSequenceSource(0, last), strategy, "numbers").disable_chaining().print(),
        **options,
    )


def sink_task(sink: PublishingSink, restore: dict[str, OperatorRestore] | None = None) -> TaskHarness:
    """A keyed task with a sink chained to it."""
    return TaskHarness(
        lambda env: (
            env.from_collection([]).key_by(lambda v: v).process(Count()).uid("count").sink_to(Sink(sink)).uid("sink")
        ),
        1,
        restore=restore,
    )


# ------------------------------------------------------------------------------------------------------ input


def test_a_step_takes_at_most_so_many_records_of_its_source() -> None:
    harness = numbers(10_000)
    harness.start_source()
    assert harness.task.step()
    assert harness.values() == list(range(STEP_RECORDS))


def test_a_long_batch_is_taken_in_parts_and_a_barrier_waits_for_the_last_one() -> None:
    harness = keyed(Count())
    harness.task.step_records = 10
    harness.records(*range(45), keys=list(range(45)))
    harness.put(CheckpointBarrier(1))
    for taken in (10, 20, 30, 40):
        assert harness.task.step()
        assert harness.task.records_in == taken
    assert not any(isinstance(element, CheckpointBarrier) for element in harness.emitted())
    harness.settle()
    assert harness.task.records_in == 45
    assert [type(element) for element in harness.emitted()][-1] is CheckpointBarrier
    assert harness.emitted() == [] and not harness.task.step()


def test_without_credit_no_input_is_taken_but_a_barrier_goes_through() -> None:
    harness = numbers(10_000)
    harness.start_source()
    while harness.outputs[0].has_credit():
        harness.task.step()
    full = harness.task.records_in
    harness.checkpoint(1)
    harness.settle()
    assert harness.task.records_in == full
    assert harness.emitted()[-1] == CheckpointBarrier(1)
    assert harness.task.step(), "what was read has made room"


def test_a_task_whose_sink_takes_nothing_looks_again_soon_although_no_watermark_is_due() -> None:
    sink = PublishingSink()
    harness = sink_task(sink)
    sink.available = False
    harness.records("a", keys=["a"])
    assert not harness.task.step()
    assert harness.task.next_due() == pytest.approx(0.001)
    sink.available = True
    assert harness.task.step()
    assert harness.task.next_due() == math.inf


def test_a_sink_hears_of_steps_in_which_there_was_nothing_to_do() -> None:
    sink = PublishingSink()
    harness = sink_task(sink)
    harness.records("a", keys=["a"])
    assert harness.task.step()
    assert sink.idle == 0
    assert not harness.task.step()
    assert sink.idle == 1


def test_the_end_of_input_goes_on_behind_the_last_watermark_and_is_told_once() -> None:
    harness = numbers(1)
    harness.start_source()
    harness.settle()
    assert harness.emitted() == [0, 1, Watermark(MAX_WATERMARK), EndOfInput()]
    assert harness.input_ends == 1
    assert harness.task.next_due() == math.inf


def test_a_source_task_still_takes_part_in_checkpoints_after_its_end() -> None:
    harness = numbers(1)
    harness.start_source()
    harness.settle()
    harness.checkpoint(1)
    harness.settle()
    assert harness.emitted()[-1] == CheckpointBarrier(1)
    assert [report.checkpoint_id for report in harness.reports if isinstance(report, CheckpointAcknowledged)] == [1]


def test_behind_a_suspending_barrier_nothing_more_is_read() -> None:
    harness = numbers(10_000)
    harness.start_source()
    harness.task.step()
    harness.task.trigger_checkpoint(1, suspend=True)
    harness.settle()
    assert harness.emitted()[-1] == CheckpointBarrier(1, suspend=True)
    assert harness.task.records_in == STEP_RECORDS


# ------------------------------------------------------------------------------------------------------- time


def test_a_watermark_goes_on_only_when_every_timer_it_makes_due_has_fired_so_many_a_step() -> None:
    harness = keyed(TimerAtValue())
    harness.records(*range(STEP_RECORDS + 1), keys=list(range(STEP_RECORDS + 1)))
    harness.put(Watermark(10_000))
    steps = 0
    while not harness.outputs[0].is_empty() or harness.task.step():
        steps += 1
        emitted = harness.emitted()
        fired = [item for item in emitted if isinstance(item, tuple)]
        assert len(fired) <= STEP_RECORDS
        if Watermark(10_000) in emitted:
            assert emitted[-1] == Watermark(10_000)
            break
    assert steps <= 4, "one timestamp a step would be slow"


def test_timers_registered_while_timers_fire_come_in_their_turn() -> None:
    class Chain(KeyedProcessFunction):
        def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
            ctx.timer_service().register_event_time_timer(value)

        def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Any]:
            if timestamp == 10:
                ctx.timer_service().register_event_time_timer(15)
            yield timestamp

    harness = keyed(Chain())
    harness.records(10, 20, keys=[1, 1])
    harness.put(Watermark(30))
    harness.settle()
    assert harness.emitted() == [10, 15, 20, Watermark(30)]


def test_a_processing_timer_fires_when_its_millisecond_is_over() -> None:
    harness = keyed(TimerAtValue())
    harness.records(50, keys=["k"])
    harness.settle()
    assert harness.task.next_due() == pytest.approx(0.051)
    harness.clock.advance(50)
    harness.settle()
    assert harness.values() == []
    harness.clock.advance(1)
    harness.settle()
    assert harness.values() == [("PROCESSING_TIME", 50, "k")]


def test_processing_timers_do_not_fire_after_the_end_of_input_and_nobody_waits_for_them() -> None:
    harness = keyed(TimerAtValue())
    harness.records(50, keys=["k"])
    harness.put(EndOfInput())
    harness.settle()
    harness.clock.advance(1000)
    harness.settle()
    assert [v for v in harness.values() if v[0] == "PROCESSING_TIME"] == []
    assert harness.task.next_due() == math.inf


def test_a_source_emits_watermarks_at_the_interval_and_goes_idle_without_splits() -> None:
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(5))
    harness = numbers(10, strategy)
    harness.task.add_splits([], no_more=False)
    harness.task.step()
    assert harness.emitted() == []
    assert harness.task.next_due() == pytest.approx(0.2)
    harness.clock.advance(200)
    harness.settle()
    assert harness.emitted() == [WatermarkStatus(idle=True)]


def test_a_source_that_has_not_been_told_its_splits_yet_is_not_idle_and_so_holds_event_time_back() -> None:
    """Else the others' event time would go ahead, and what its splits hold would be late."""
    harness = numbers(10, WatermarkStrategy.for_monotonous_timestamps())
    for _ in range(5):
        harness.clock.advance(200)
        harness.settle()
    assert harness.emitted() == []
    harness.start_source()
    harness.settle()
    assert harness.emitted() != []


def test_a_step_that_only_emits_has_worked_so_that_whoever_it_emits_to_is_stepped_too() -> None:
    harness = numbers(10, WatermarkStrategy.for_monotonous_timestamps())
    harness.task.add_splits([], no_more=False)
    harness.task.step()
    harness.clock.advance(200)
    assert harness.task.step(), "without splits it tells that it is idle"
    assert not harness.task.step()


def test_an_interval_of_zero_turns_periodic_watermarks_off() -> None:
    harness = numbers(10, WatermarkStrategy.for_monotonous_timestamps(), watermark_interval_ms=0)
    harness.clock.advance(10_000)
    harness.task.step()
    assert harness.emitted() == []
    assert harness.task.next_due() == math.inf


# ------------------------------------------------------------------------------------------------- checkpoints


def acknowledged(harness: TaskHarness) -> CheckpointAcknowledged:
    report = harness.reports.pop()
    assert isinstance(report, CheckpointAcknowledged), report
    assert not harness.reports
    return report


def test_a_snapshot_holds_what_was_true_at_the_barrier_although_records_are_processed_while_it_is_written() -> None:
    sink = PublishingSink()
    harness = sink_task(sink)
    harness.records("a", "b", "a", keys=["a", "b", "a"])
    harness.checkpoint(1)
    harness.records("a", "c", keys=["a", "c"])
    harness.settle()
    assert not harness.reports, "the state file is not durable yet"
    harness.run_background()
    report = acknowledged(harness)
    keyed_file = report.operators["count"].keyed
    assert keyed_file is not None
    pieces = lambda: harness.storage.pieces(harness.storage.path_of(1), keyed_file)  # noqa: E731
    restored = sink_task(PublishingSink(), {"count": OperatorRestore([], [KeyedRestore(pieces)], rescaled=False)})
    restored.records("a", "b", "c", keys=["a", "b", "c"])
    restored.checkpoint(2)
    restored.settle()
    restored.run_background()
    [committable] = acknowledged(restored).operators["sink"].committables
    assert values_of(committable) == [("a", 3), ("b", 2), ("c", 1)]


def test_output_of_a_snapshot_overtaken_by_the_next_barrier_is_reported_with_the_next() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.task.step()
    harness.records("b", keys=["b"])
    harness.checkpoint(2)
    harness.settle()
    harness.run_background()
    report = acknowledged(harness)
    assert report.checkpoint_id == 2
    values = [values_of(committable) for committable in report.operators["sink"].committables]
    assert values == [[("a", 1)], [("b", 1)]]


def test_a_snapshot_still_waiting_for_the_disk_when_the_next_barrier_comes_is_not_reported_a_second_time() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.settle()  # its fsync has not come back
    harness.records("b", keys=["b"])
    harness.checkpoint(2)
    harness.settle()
    harness.run_background()
    report = acknowledged(harness)
    assert report.checkpoint_id == 2
    assert len(report.operators["sink"].committables) == 2


def test_a_full_disk_declines_the_checkpoint_and_the_output_joins_the_next_one() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.disk.space = 0
    harness.settle()
    report = harness.reports.pop()
    assert isinstance(report, CheckpointDeclined)
    assert isinstance(report.error, OSError)
    assert harness.disk.open_files == 0
    harness.disk.space = None
    harness.checkpoint(2)
    harness.settle()
    harness.run_background()
    assert len(acknowledged(harness).operators["sink"].committables) == 1


def test_a_failed_fsync_declines_the_checkpoint_and_the_output_joins_the_next_one() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.settle()
    harness.disk.space = 0
    harness.run_background()
    assert isinstance(harness.reports.pop(), CheckpointDeclined)
    harness.disk.space = None
    harness.checkpoint(2)
    harness.settle()
    harness.run_background()
    assert len(acknowledged(harness).operators["sink"].committables) == 1


def test_the_late_barrier_of_a_checkpoint_that_was_discarded_does_not_fail_the_task() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.storage.discard(1)
    harness.settle()
    assert isinstance(harness.reports.pop(), CheckpointDeclined)


def test_closing_a_task_gives_up_the_state_file_it_writes() -> None:
    harness = sink_task(PublishingSink())
    harness.records("a", keys=["a"])
    harness.checkpoint(1)
    harness.task.step()
    harness.task.step()
    assert harness.disk.open_files == 1
    harness.task.close()
    assert harness.disk.open_files == 0


def test_operators_are_closed_once_even_when_the_reader_cannot_be() -> None:
    class Stuck(NumberSequenceReader):
        def close(self) -> None:
            raise OSError("stuck")

    class StuckSpec(NumberSequenceSpec):
        def create_reader(self, context: SourceContext) -> NumberSequenceReader:
            return Stuck()

    class Closing(MapFunction):
        closed = 0

        def map(self, value: Any) -> Any:
            return value

        def close(self) -> None:
            self.closed += 1

    class StuckSource(NumberSequenceSource):
        spec = StuckSpec(0, 1)

    source = StuckSource(0, 1)
    harness = TaskHarness(
        lambda env: env.from_source(source, WatermarkStrategy.no_watermarks(), "n").map(Closing()).print()
    )
    with pytest.raises(OSError, match="stuck"):
        harness.task.close()
    harness.chain.close()
    operator = harness.chain.operators[1]
    assert isinstance(operator, MapOperator)
    assert operator._function.closed == 1


def test_a_reader_learns_of_the_last_checkpoint_even_when_no_step_follows() -> None:
    told: list[str] = []

    class Listening(NumberSequenceReader):
        def notify_checkpoint_complete(self, splits: Any) -> None:
            told.append(f"{len(splits)} splits")

        def close(self) -> None:
            told.append("closed")

    class ListeningSpec(NumberSequenceSpec):
        def create_reader(self, context: SourceContext) -> NumberSequenceReader:
            return Listening()

    class ListeningSource(NumberSequenceSource):
        spec = ListeningSpec(0, 1)

    source = ListeningSource(0, 1)
    harness = TaskHarness(lambda env: env.from_source(source, WatermarkStrategy.no_watermarks(), "n").print())
    harness.task.notify_checkpoint_complete([])
    harness.task.step()
    harness.task.notify_checkpoint_complete([])
    harness.task.close()
    assert told == ["0 splits", "0 splits", "closed"]

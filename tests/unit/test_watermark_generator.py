"""Watermarks of one input: silence, idleness, and the opt-in to go on with the wall clock."""

from __future__ import annotations

from wiesel.core.configuration import Configuration
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.runtime.watermarks import WatermarkGenerator, with_advance
from wiesel.testing.clock import ManualClock


def generator(
    clock: ManualClock, *, idle_timeout_ms: int | None = None, advance_after_ms: int | None = None
) -> WatermarkGenerator:
    strategy = WatermarkStrategy(
        out_of_orderness_ms=0, idle_timeout_ms=idle_timeout_ms, advance_after_ms=advance_after_ms
    )
    return WatermarkGenerator(strategy, clock)


def pass_time(clock: ManualClock, generator: WatermarkGenerator, seconds: float) -> None:
    """Ask as a task does, every 200 ms."""
    for _ in range(round(seconds * 5)):
        clock.advance(200)
        generator.check_idle()


def test_silence_is_measured_from_the_last_record() -> None:
    clock = ManualClock()
    quiet = generator(clock)
    quiet.observe(1000)
    pass_time(clock, quiet, 42.2)
    assert round(quiet.quiet_seconds) == 42
    quiet.observe(1001)
    assert quiet.quiet_seconds == 0


def test_time_in_which_nobody_looked_is_not_silence() -> None:
    clock = ManualClock()
    starved = generator(clock, advance_after_ms=5000)
    starved.observe(1000)
    starved.check_idle()
    clock.advance(3_600_000)  # back-pressured: the task asks for no watermark
    starved.check_idle()
    assert starved.quiet_seconds <= 1
    assert starved.current() == 999


def test_without_the_choice_event_time_stands_still_in_silence() -> None:
    clock = ManualClock()
    quiet = generator(clock)
    quiet.observe(1000)
    pass_time(clock, quiet, 60)
    assert (quiet.current(), quiet.check_idle()) == (999, False)


def test_event_time_goes_on_with_the_wall_clock_after_the_chosen_silence() -> None:
    clock = ManualClock()
    quiet = generator(clock, advance_after_ms=5000)
    quiet.observe(1000)
    pass_time(clock, quiet, 5)
    assert quiet.current() == 999
    pass_time(clock, quiet, 10)
    assert abs(quiet.current() - (999 + 14_800)) <= 200
    quiet.observe(20_000)
    assert quiet.current() == 19_999, "a record brings event time back to the records"


def test_an_input_that_goes_with_the_clock_is_not_idle() -> None:
    clock = ManualClock()
    heard = generator(clock, idle_timeout_ms=2000, advance_after_ms=5000)
    heard.observe(1000)
    pass_time(clock, heard, 3)
    assert (heard.idle, heard.current()) == (True, 999), "idle until it goes on"
    pass_time(clock, heard, 3)
    assert (heard.idle, heard.current() > 999) == (False, True)


def test_an_input_without_any_record_has_no_time_to_go_on_from_and_is_idle() -> None:
    clock = ManualClock()
    never = generator(clock, advance_after_ms=5000)
    pass_time(clock, never, 6)
    assert (never.idle, never.current()) == (True, MIN_TIMESTAMP)


def test_the_choice_is_a_configuration_key() -> None:
    configuration = Configuration()
    strategy = WatermarkStrategy(out_of_orderness_ms=0)
    assert with_advance(strategy, configuration) is strategy
    configuration.set_string("wiesel.watermark.advance-after", "30 s")
    assert with_advance(strategy, configuration).advance_after_ms == 30_000

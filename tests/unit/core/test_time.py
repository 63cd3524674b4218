from datetime import timedelta

import pytest

from wiesel.core.time import Duration, Instant, Time, to_millis


def test_time_counts_milliseconds() -> None:
    assert Time.days(1).to_milliseconds() == 86_400_000
    assert Time.hours(1) == Time.minutes(60) == Time.seconds(3600) == Time.milliseconds(3_600_000)
    assert str(Time.seconds(2)) == "2000 ms"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Duration.of_seconds(90), "PT1M30S"),
        (Duration.of_millis(200), "PT0.2S"),
        (Duration.of_days(1), "PT24H"),
        (Duration.of_nanos(0), "PT0S"),
        (Duration.of_nanos(1), "PT0.000000001S"),
        (Duration.of_millis(-1500), "PT-1.5S"),
    ],
)
def test_duration_prints_as_java_prints_it(duration: Duration, text: str) -> None:
    assert str(duration) == text


def test_duration_equals_by_length() -> None:
    assert Duration.of_minutes(1) == Duration.of_seconds(60)
    assert Duration.of_hours(1).to_millis() == 3_600_000
    assert Duration.of_minutes(1) != timedelta(minutes=1)


def test_duration_takes_whole_numbers_only() -> None:
    with pytest.raises(TypeError, match=r"Duration\.of_seconds takes an int, got float"):
        Duration.of_seconds(1.5)  # type: ignore[arg-type]


def test_instant_before_1970_rounds_down() -> None:
    assert Instant.of_epoch_milli(-1) == Instant(-1, 999_000_000)
    assert Instant(-1, 999_000_000).to_epoch_milli() == -1
    assert repr(Instant(5, 6)) == "Instant<5, 6>"


def test_every_way_to_give_an_amount_of_time_becomes_milliseconds() -> None:
    assert [to_millis(x) for x in (Time.seconds(1), Duration.of_seconds(1), timedelta(seconds=1), 1000)] == [1000] * 4
    with pytest.raises(TypeError, match="Expected Time, Duration, timedelta or milliseconds"):
        to_millis("1 s")

"""DuckDB's batch answer, against the definition of each output written once more in plain Python."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.answer import Record, Thresholds, answer
from demo.dataset import Departure, Flights, extract_csv, read_flights


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extract_csv(tmp_path_factory.mktemp("flights"))


@pytest.fixture(scope="module")
def flights(csv_file: Path) -> Flights:
    return read_flights(csv_file)


def fields(departure: Departure) -> Record:
    names = ("airport", "carrier", "flight", "to", "scheduled", "delay")
    return {name: getattr(departure, name) for name in names}


def alerts(departures: list[Departure], given: Thresholds) -> Iterator[Record]:
    late_in_a_row: dict[str, int] = defaultdict(int)
    for departure in departures:
        before = late_in_a_row[departure.key]
        late_in_a_row[departure.key] = before + 1 if departure.delay > given.late_minutes else 0
        if late_in_a_row[departure.key] == given.alert_after:
            yield {"alert": "delayed", "late_in_a_row": given.alert_after, **fields(departure)}
        elif before >= given.alert_after and not late_in_a_row[departure.key]:
            yield {"alert": "recovered", "late_in_a_row": before, **fields(departure)}


def delays(departures: list[Departure]) -> list[Record]:
    hours: dict[tuple[str, str], list[int]] = defaultdict(list)
    for departure in departures:
        hours[departure.airport, f"{departure.scheduled[:13]}:00:00Z"].append(departure.delay)
    return [
        {
            "airport": airport,
            "hour": hour,
            "flights": len(minutes),
            "late": sum(delay >= 15 for delay in minutes),
            "minutes": sum(minutes),
            "longest": max(0, *minutes),
        }
        for (airport, hour), minutes in sorted(hours.items())
    ]


def test_both_readers_see_the_same_year(csv_file: Path, flights: Flights) -> None:
    batch = answer(csv_file)
    assert (batch.departures, batch.cancelled) == (len(flights.departures), flights.cancelled) == (328_521, 8_255)


def test_the_batch_answer_is_the_definition_in_plain_python(csv_file: Path, flights: Flights) -> None:
    batch = answer(csv_file)
    assert batch.delays == delays(flights.departures)
    assert batch.alerts == list(alerts(flights.departures, Thresholds()))
    assert batch.very_late == [fields(departure) for departure in flights.departures if departure.delay > 180]


@pytest.mark.parametrize("seed", range(3))
def test_a_limit_and_other_thresholds_mean_the_same_to_both(csv_file: Path, flights: Flights, seed: int) -> None:
    chance = random.Random(seed)
    limit = chance.randrange(1000, 40_000)
    given = Thresholds(late_minutes=chance.randrange(0, 90), alert_after=chance.randrange(1, 6))
    batch = answer(csv_file, limit, given)
    departures = flights.departures[:limit]
    assert batch.delays == delays(departures)
    assert batch.alerts == list(alerts(departures, given))


def test_the_flights_come_in_the_order_in_which_they_left(flights: Flights) -> None:
    departed = [departure.departed_ms for departure in flights.departures]
    assert departed == sorted(departed)


def test_the_disorder_is_real_and_less_than_the_day_that_watermarks_wait(flights: Flights) -> None:
    newest = furthest = 0
    for departure in flights.departures:
        newest = max(newest, departure.scheduled_ms)
        furthest = max(furthest, newest - departure.scheduled_ms)
    hour = 3_600_000
    assert 20 * hour < furthest < 24 * hour


def test_a_flight_is_named_by_airport_carrier_number_and_schedule(flights: Flights) -> None:
    names = {(one.airport, one.carrier, one.flight, one.scheduled) for one in flights.departures}
    assert len(names) == len(flights.departures)

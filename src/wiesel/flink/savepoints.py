"""Stops a job on Flink with a savepoint, and reads from the savepoint where the job's Kafka sources stand.

Flink commits a group's offsets for monitoring only (KafkaSource, "Consumer Offset Committing"): its reader does so
between two polls, each of which waits up to 10 seconds on an idle topic, and at a stop not at all. The offsets that
belong to the output are those of the savepoint.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wiesel.flink import cluster_api
from wiesel.flink.environment import FlinkEnvironment
from wiesel.flink.errors import FlinkError, FlinkUnreachableError
from wiesel.flink.submission import driver_environment

_READER: Final = Path(__file__).with_name("savepoint_reader.py")
_POLL_SECONDS: Final = 0.2
_READ_SECONDS: Final = 120


@dataclass(frozen=True, order=True)
class Position:
    """The offset of the next record that a job would have read of a partition."""

    topic: str
    partition: int
    offset: int


def stop_with_savepoint(
    address: str, job_id: str, directory: str | None = None, *, drain: bool = False, seconds: float = 600.0
) -> str:
    """Stop a job, wait until it has ended with its output committed, and return the savepoint's location.

    Raises FlinkError with the cluster's reason if the job goes on, because the savepoint failed, or it has no such job.

    Args:
        address: `host:port` of the cluster's REST API.
        job_id: as the cluster names it.
        directory: where the savepoint goes, by its URI; None takes `execution.checkpointing.savepoint-dir`.
        drain: end event time first, so that all windows and event-time timers fire.
        seconds: how long to wait.
    """
    deadline = time.monotonic() + seconds
    try:
        request = _asking(address, lambda: cluster_api.stop(address, job_id, directory, drain=drain))
    except FlinkUnreachableError:
        raise
    except FlinkError as error:
        raise FlinkError(
            f"{error}\nThe job's id is on the cluster's web page; --savepoint-dir says where the savepoint goes if the "
            "cluster has no execution.checkpointing.savepoint-dir."
        ) from error
    while (told := _answer(address, f"/jobs/{job_id}/savepoints/{request}"))["status"]["id"] != "COMPLETED":
        _wait(deadline, f"the savepoint of job {job_id} is not complete after {seconds:.0f} s; the job goes on.")
    operation = told.get("operation") or {}
    if "location" not in operation:
        reason = str((operation.get("failure-cause") or {}).get("stack-trace", "no reason was given")).splitlines()[0]
        raise FlinkError(f"job {job_id} was not stopped: {reason}. See {address}'s web page for the job's exceptions.")
    # The savepoint is complete before the sinks have committed what it decided.
    while (state := _answer(address, f"/jobs/{job_id}")["state"]) == "RUNNING":
        _wait(deadline, f"job {job_id} has a savepoint ({operation['location']}), but still runs.")
    if state != "FINISHED":
        raise FlinkError(
            f"job {job_id} has a savepoint, {operation['location']}, but is {state}: its last output may not be "
            "committed. Start it on Flink again from that savepoint, which commits it, and stop once more."
        )
    return str(operation["location"])


def kafka_positions(savepoint: str, environment: FlinkEnvironment) -> list[Position]:
    """Return where each partition of the job's Kafka sources stands in a savepoint or checkpoint.

    Raises FlinkError if this machine cannot read it.

    Args:
        savepoint: its path or URI.
        environment: PyFlink's, whose classes read it.
    """
    with tempfile.TemporaryDirectory(prefix="wiesel-flink-") as scratch:
        answer = subprocess.run(
            [environment.python, _READER, savepoint],
            env=driver_environment(environment, os.environ, [], Path(scratch)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_READ_SECONDS,
            check=False,
        )
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise FlinkError(
            f"cannot read the savepoint {savepoint} on this machine: {reason}. `wiesel flink offsets` reads it where "
            "its files are: on a machine that has the same volume, or from a copy of its folder."
        )
    return sorted(Position(*json.loads(line)) for line in answer.stdout.splitlines() if line.startswith("["))


def _answer(address: str, path: str) -> Any:
    return _asking(address, lambda: cluster_api.get(address, path, cluster_api.SECONDS))


def _asking(address: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (OSError, ValueError) as error:
        raise FlinkUnreachableError(
            f"http://{address} does not answer: {error}. Look on the cluster whether the job still runs."
        ) from error


def _wait(deadline: float, late: str) -> None:
    if time.monotonic() > deadline:
        raise FlinkError(f"{late} Look at the job's checkpoints on the cluster's web page.")
    time.sleep(_POLL_SECONDS)

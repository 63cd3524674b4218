"""``wiesel run --detached``: the same command in a session of its own, its output in a log beside the job's state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from wiesel.core import exit_codes
from wiesel.core.launch import LaunchOptions
from wiesel.core.user_files import data_directory

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob

_LOG: Final = "job.log"
#: Seconds for which a start is watched; a script may take its time before it executes anything.
_PATIENCE: Final = 60.0
_PAUSE: Final = 0.05
_STARTING: Final = {"CREATED", "INITIALIZING"}


@dataclass(frozen=True, slots=True)
class DetachedJob:
    """What is remembered of a detached start, also when it is over.

    Args:
        job_id: the job's id.
        pid: its process.
        log: where its output went.
        started: when, seconds since the epoch.
    """

    job_id: str
    pid: int
    log: str
    started: float


def run_detached(options: LaunchOptions) -> int:
    """Start the command line of this process without ``--detached`` in the background and wait until its job runs."""
    from wiesel.core.disk import OsDisk
    from wiesel.core.errors import WieselError

    try:
        job_id, directory = _job_of(options)
        OsDisk().make_directory(directory)
        with _log_file(directory / _LOG) as log:
            begin = log.tell()
            process = _spawn(log)
    except (WieselError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        return exit_codes.USAGE
    path = (directory / _LOG).absolute()
    job = _wait(process)
    if job is None and process.poll() is not None:
        sys.stderr.write(_tail(path, begin))
        if process.returncode == exit_codes.OK:
            click.echo(job_id)
        return process.returncode if process.returncode >= 0 else exit_codes.for_signal(-process.returncode)
    started = DetachedJob(job_id if job is None else job.job_id, process.pid, str(path), time.time())
    _remember(started)
    click.echo(f"pid {started.pid}, log {started.log}", err=True)
    click.echo(started.job_id)
    return exit_codes.OK


def _job_of(options: LaunchOptions) -> tuple[str, Path]:
    """Return the id and the directory that the script's first job will have, as far as the command line tells."""
    from wiesel.cluster.options import JobOptions
    from wiesel.core.configuration import Configuration
    from wiesel.core.options import load_config_file

    configuration = Configuration()
    if options.config_file is not None:
        configuration.add_all(load_config_file(options.config_file))
    for key, value in options.configuration.items():
        configuration.set_string(key, value)
    job_id = options.job_id or f"{options.program_name}-1"
    return job_id, JobOptions(job_id, configuration).job_directory


def _log_file(path: Path) -> IO[bytes]:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(fd, "ab")
    file.seek(0, os.SEEK_END)
    return file


def _spawn(log: IO[bytes]) -> subprocess.Popen[bytes]:
    arguments = list(sys.argv[1:])
    arguments.remove("--detached")  # options stand before the script, so the first one is ours
    command = [sys.executable, "-P", "-m", "wiesel.cli.main", *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _wait(process: subprocess.Popen[bytes]) -> RunningJob | None:
    """Wait until a job of the process runs, and return it; None when the process ended, or takes too long."""
    from wiesel.rest.client import running_jobs

    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        for job in running_jobs(process.pid):
            if job.overview["state"] not in _STARTING:
                return job
        time.sleep(_PAUSE)
    return None


def _tail(path: Path, begin: int) -> str:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def _records() -> Path:
    return data_directory() / "detached"


def _remember(job: DetachedJob) -> None:
    directory = _records()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(directory / f"{job.pid}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(asdict(job), file)


def detached_jobs() -> Iterator[DetachedJob]:
    """Yield the detached starts whose logs are still there, newest first; the others are forgotten."""
    found = []
    for path in _records().glob("*.json"):
        try:
            job = DetachedJob(**json.loads(path.read_text()))
        except (ValueError, TypeError, OSError):
            continue  # being written, or another version's
        if Path(job.log).is_file():
            found.append(job)
        else:
            path.unlink(missing_ok=True)
    yield from sorted(found, key=lambda job: job.started, reverse=True)

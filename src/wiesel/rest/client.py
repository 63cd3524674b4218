"""Finds the running jobs of this user on this machine and talks to them."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from wiesel.rest import registry

#: Seconds that a job gets to answer; one whose functions take long takes up to six.
TIMEOUT: Final = 10.0


class NoAnswerError(Exception):
    """The job's process is gone, or does not answer."""


class FailedError(Exception):
    """The job answered that it cannot do what was asked; the text is its own."""


class NoSuchJobError(Exception):
    """No running job, or more than one, has that name."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path
        self._seconds = timeout

    def connect(self) -> None:
        self.sock: socket.socket = registry.connect(self._path, self._seconds)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that answers.

    Args:
        job_id: its id.
        name: as given to ``execute()``.
        pid: its process.
        socket: where it answers.
        overview: its entry of ``/jobs/overview``.
    """

    job_id: str
    name: str
    pid: int
    socket: Path
    overview: Mapping[str, Any]

    def get(self, path: str = "") -> Any:
        """Return the answer at a path below the job's own."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str = "", body: Mapping[str, Any] | None = None) -> Any:
        """Send a request about the job and return the answer.

        Raises:
            NoAnswerError: its process is gone.
            FailedError: it refused.
        """
        return request(self.socket, method, f"/jobs/{quote(self.job_id, safe='')}{path}", body)


def request(path: Path, method: str, url: str, body: Mapping[str, Any] | None = None, timeout: float = TIMEOUT) -> Any:
    """Send a request to a socket and return the parsed answer, or the text of one that is no JSON."""
    connection = _UnixConnection(path, timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, url, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        is_json = response.headers.get_content_type() == "application/json"
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{path} does not answer: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()
    parsed = json.loads(answer) if is_json else answer.decode()
    if response.status >= 400:
        raise FailedError("; ".join(parsed["errors"]) if isinstance(parsed, dict) else str(parsed))
    return parsed


def running_jobs(of_process: int | None = None) -> list[RunningJob]:
    """Return the jobs that answer, oldest first; sockets of dead processes are removed on the way.

    Args:
        of_process: only ask the jobs of the process with this pid.
    """
    found = []
    for path, pid in registry.sockets():
        if of_process not in (None, pid):
            continue
        try:
            overview = request(path, "GET", "/jobs/overview")["jobs"][0]
        except NoAnswerError:
            registry.remove_if_dead(path, pid)
            continue
        found.append(RunningJob(overview["jid"], overview["name"], pid, path, overview))
    return sorted(found, key=lambda job: (job.overview["start-time"], job.job_id))


def find_job(text: str) -> RunningJob:
    """Return the running job with this id, name or pid, or the only one whose id or name begins so.

    Raises:
        NoSuchJobError: none or several do; the text lists what runs.
    """
    jobs = running_jobs()
    exact = [job for job in jobs if text in (job.job_id, job.name, str(job.pid))]
    matching = exact or [job for job in jobs if job.job_id.startswith(text) or job.name.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        listed = ", ".join(f"{job.job_id} (pid {job.pid})" for job in matching)
        raise NoSuchJobError(f"'{text}' could be {listed}. Name one by its pid.")
    listed = ", ".join(job.job_id for job in jobs)
    raise NoSuchJobError(f"No job '{text}' is running here. " + (f"Running: {listed}." if jobs else "None is."))

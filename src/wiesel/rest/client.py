"""Finds the running jobs of this user on this machine, or the one at an address, and talks to them."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from wiesel.rest import registry

if TYPE_CHECKING:
    import ssl

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
class Address:
    """Where a job answers over TCP (``rest.bind-port``).

    Args:
        host: name or address.
        port: of it.
        token: what it wants to see.
        tls: how it is known and the connection encrypted; None for this machine only.
    """

    host: str
    port: int
    token: str = field(repr=False)
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connection(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection that is made with the first request."""
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that answers.

    Args:
        job_id: its id.
        name: as given to ``execute()``.
        pid: its process; None of another machine's.
        socket: where it answers.
        overview: its entry of ``/jobs/overview``.
    """

    job_id: str
    name: str
    pid: int | None
    socket: Path | Address
    overview: Mapping[str, Any]

    def path_there(self, directory: Path) -> str:
        """Return a directory as the job is to be told: of another machine only what was typed means anything."""
        return str(directory if isinstance(self.socket, Address) else directory.absolute())

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


def request(
    path: Path | Address, method: str, url: str, body: Mapping[str, Any] | None = None, timeout: float = TIMEOUT
) -> Any:
    """Send a request to a socket or an address and return the parsed answer, or the text of one that is no JSON."""
    headers = {"Content-Type": "application/json"}
    if isinstance(path, Address):
        connection = path.connection(timeout)
        headers["Authorization"] = f"Bearer {path.token}"
    else:
        connection = _UnixConnection(path, timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, url, content, headers)
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


def job_at(address: Address) -> RunningJob:
    """Return the job that answers at an address.

    Raises:
        NoAnswerError: none does.
        FailedError: it does not take the token.
    """
    overview = request(address, "GET", "/jobs/overview")["jobs"][0]
    return RunningJob(overview["jid"], overview["name"], None, address, overview)


def find_job(text: str, address: Address | None = None) -> RunningJob:
    """Return the running job with this id, name or pid, or the only one whose id or name begins so.

    Args:
        text: id, name, pid, or the beginning of one of the first two.
        address: where to look instead of on this machine.

    Raises:
        NoSuchJobError: none or several do; the text lists what runs.
    """
    if address is None and text.isdecimal() and len(own := running_jobs(int(text))) == 1:
        return own[0]  # the others are not asked, one of which may be slow to answer
    jobs = running_jobs() if address is None else [job_at(address)]
    exact = [job for job in jobs if text in (job.job_id, job.name, str(job.pid))]
    matching = exact or [job for job in jobs if job.job_id.startswith(text) or job.name.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        listed = ", ".join(f"{job.job_id} (pid {job.pid})" for job in matching)
        raise NoSuchJobError(f"'{text}' could be {listed}. Name one by its pid.")
    listed = ", ".join(job.job_id for job in jobs)
    place = "here" if address is None else f"at {address}"
    raise NoSuchJobError(f"No job '{text}' is running {place}. " + (f"Running: {listed}." if jobs else "None is."))

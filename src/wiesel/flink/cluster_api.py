"""Asks a Flink cluster's REST API, as its own web page does: is it there, what is it, what went wrong in a job?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from wiesel.flink.environment import FLINK_VERSION
from wiesel.flink.errors import FlinkConfigurationError, FlinkError, FlinkUnreachableError

SECONDS: Final = 10.0


@dataclass(frozen=True)
class Overview:
    """What `/overview` answers."""

    version: str
    taskmanagers: int
    slots: int
    free_slots: int
    running_jobs: int


def parse_address(text: str) -> str:
    """`host:port` of a REST API; `http://` and a path, as copied out of a browser, are forgiven."""
    if text.startswith("https://"):
        raise FlinkConfigurationError(
            f"--cluster {text}: Flink's client takes TLS from its configuration: give HOST:PORT, and "
            "-c security.ssl.rest.enabled=true with the trust store."
        )
    address = text.removeprefix("http://").partition("/")[0]
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise FlinkConfigurationError(
            f"--cluster {text} is no HOST:PORT of a Flink cluster's REST API, as in flink:8081"
        )
    return address


def overview(address: str, seconds: float = SECONDS) -> Overview:
    """Return what the cluster says of itself; raises FlinkUnreachableError if no Flink answers."""
    try:
        told = get(address, "/overview", seconds)
        return Overview(
            str(told["flink-version"]),
            int(told["taskmanagers"]),
            int(told["slots-total"]),
            int(told["slots-available"]),
            int(told["jobs-running"]),
        )
    except (OSError, ValueError, KeyError, FlinkError) as error:
        raise FlinkUnreachableError(
            f"no Flink answers at http://{address}: {error}. `wiesel flink up` starts one on this machine; "
            "--cluster is the address of its REST API."
        ) from error


def require_fitting(address: str) -> Overview:
    """As `overview`; raises as well if PyFlink's jobs cannot run there."""
    found = overview(address)
    ours = FLINK_VERSION.rpartition(".")[0]
    if found.version.rpartition(".")[0] != ours:
        raise FlinkConfigurationError(
            f"http://{address} is Flink {found.version}, and jobs of PyFlink {FLINK_VERSION} run on Flink {ours} only: "
            f"upgrade the cluster, or submit with a PyFlink of its version by Flink's own `flink run -py`."
        )
    if found.taskmanagers == 0:
        raise FlinkUnreachableError(
            f"http://{address} has no TaskManager, so a job would wait for ever: start one, and try again."
        )
    return found


def failed_task(address: str, job_id: str) -> str | None:
    """The name of the task in which a job failed first, as in `Map -> Sink: Writer (1/2)`, if the cluster can tell."""
    try:
        entries = get(address, f"/jobs/{job_id}/exceptions", SECONDS)["exceptionHistory"]["entries"]
        # A failure outside of any task comes first then, with those of the tasks inside of it.
        failures = [failure for entry in entries for failure in (entry, *entry.get("concurrentExceptions", ()))]
        names = [failure.get("taskName") for failure in failures]
    except (OSError, ValueError, KeyError, TypeError, FlinkError):
        return None
    return next((str(name).partition(" - execution")[0] for name in names if name), None)


def stop(address: str, job_id: str, directory: str | None, *, drain: bool = False) -> str:
    """Ask for a stop with a savepoint and return the request's id (Flink: `POST /jobs/:jobid/stop`).

    Args:
        address: `host:port` of the REST API.
        job_id: as the cluster names it.
        directory: where the savepoint goes, by its URI; None takes `execution.checkpointing.savepoint-dir`.
        drain: end event time first.
    """
    body = {"drain": drain} if directory is None else {"targetDirectory": directory, "drain": drain}
    return str(_request(address, f"/jobs/{job_id}/stop", SECONDS, body)["request-id"])


def get(address: str, path: str, seconds: float = SECONDS) -> Any:
    """Return what the path answers; OSError if it does not, ValueError if that is no JSON."""
    return _request(address, path, seconds, None)


def _request(address: str, path: str, seconds: float, body: Any) -> Any:
    from http.client import HTTPConnection, HTTPException

    host, _, port = address.rpartition(":")
    connection = HTTPConnection(host.strip("[]"), int(port), timeout=seconds)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    except HTTPException as error:
        raise OSError(f"not an answer of HTTP ({error})") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise FlinkError(f"http://{address}{path} answers {answer.status}: {text.decode(errors='replace')[:500]}")
    return json.loads(text)

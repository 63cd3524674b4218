"""What a running or finished job is to the outside: its id, its status, its result, the handle on it.

Mirrors ``JobID``, ``JobStatus`` and ``JobExecutionResult`` of Flink.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["JobExecutionResult", "JobHandle", "JobID", "JobStatus"]


class JobID:
    """Identifies a job; its text is the name of the job directory.

    Args:
        text: the id.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = str(text)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"JobID({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobID) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class JobStatus(Enum):
    """The states of a job (Flink: ``JobStatus``)."""

    CREATED = 0
    RUNNING = 1
    FAILING = 2
    FAILED = 3
    CANCELLING = 4
    CANCELED = 5
    FINISHED = 6
    RESTARTING = 7
    SUSPENDED = 8
    RECONCILING = 9

    def is_globally_terminal_state(self) -> bool:
        """Whether the job is over and nobody will take it up again."""
        return self in (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED)

    def is_terminal_state(self) -> bool:
        """Whether this process is done with the job."""
        return self is JobStatus.SUSPENDED or self.is_globally_terminal_state()


class JobExecutionResult:
    """How a finished job went (Flink: ``JobExecutionResult``).

    Args:
        job_id: the job.
        net_runtime_ms: milliseconds that it ran.
        accumulators: values of its accumulators by name.
    """

    def __init__(self, job_id: JobID, net_runtime_ms: int, accumulators: Mapping[str, Any] | None = None) -> None:
        self._job_id = job_id
        self._net_runtime_ms = net_runtime_ms
        self._accumulators = dict(accumulators or {})

    def get_job_id(self) -> JobID:
        """Return the job's id."""
        return self._job_id

    def get_net_runtime(self) -> int:
        """Return the milliseconds that the job ran."""
        return self._net_runtime_ms

    def get_accumulator_result(self, accumulator_name: str) -> Any:
        """Return the value of an accumulator, or None when the job has none of that name."""
        return self._accumulators.get(accumulator_name)

    def get_all_accumulator_results(self) -> dict[str, Any]:
        """Return the values of all accumulators by name."""
        return dict(self._accumulators)

    def __str__(self) -> str:
        lines = ["Program execution finished", f"Job with JobID {self._job_id} has finished."]
        lines.append(f"Job Runtime: {self._net_runtime_ms} ms")
        if self._accumulators:
            lines.append("Accumulator Results: ")
            lines += [f"- {name}: {value}" for name, value in self._accumulators.items()]
        return "\n".join(lines)


class JobHandle(Protocol):
    """What ``execute`` of the cluster gives for a job that was started: all that ``JobClient`` needs."""

    @property
    def job_id(self) -> JobID:
        """The job's id."""

    def status(self) -> JobStatus:
        """Return the status now."""

    def cancel(self) -> Future[Any]:
        """Cancel the job; the future is done when it is over."""

    def stop_with_savepoint(self, drain: bool, directory: str | None) -> Future[str]:
        """Stop at a savepoint; the future gives its path. ``drain`` ends event time first."""

    def trigger_savepoint(self, directory: str | None) -> Future[str]:
        """Take a savepoint; the future gives its path."""

    def accumulators(self) -> Future[dict[str, Any]]:
        """Ask for the values of accumulators so far."""

    def result(self) -> Future[JobExecutionResult]:
        """Wait for the end; the future fails with the job's error."""

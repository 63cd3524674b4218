"""What a running job tells whoever watches it: a snapshot of a few figures, a few times a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class JobStatusReport:
    """Figures of one job at one moment; counters are totals since the job's process started.

    Args:
        job_id: names the job directory; unique among the jobs of a process.
        job_name: as given to ``execute()``.
        state: Flink's ``JobStatus`` name: CREATED, RUNNING, RESTARTING, FINISHED, CANCELED, FAILED, …
        time_ms: when it was taken, milliseconds of a monotonic clock; differences of reports give rates.
        records_in: records read by all sources.
        records_out: records written by all sinks.
        lag: records that wait in the source (for Kafka: consumer lag), absent when no source can tell.
        watermark_delay_ms: wall clock minus the job's smallest watermark, absent before the first watermark.
        last_checkpoint_id: absent before the first completed checkpoint.
        last_checkpoint_age_ms: time since that checkpoint completed.
        restarts: how often the job was restarted inside this process.
    """

    job_id: str
    job_name: str
    state: str
    time_ms: int
    records_in: int = 0
    records_out: int = 0
    lag: int | None = None
    watermark_delay_ms: int | None = None
    last_checkpoint_id: int | None = None
    last_checkpoint_age_ms: int | None = None
    restarts: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether no further report of this job will follow."""
        return self.state in {"FINISHED", "CANCELED", "FAILED"}


class JobObserver(Protocol):
    """Gets a report at most a few times a second, and a last one whose state is terminal.

    Called from the thread that drives the job, so it has to be quick and must not raise.
    """

    def on_report(self, report: JobStatusReport) -> None:
        """Take the latest figures; the report may be kept."""

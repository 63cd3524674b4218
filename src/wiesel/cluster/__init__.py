"""Runs job graphs: ``execute`` picks clock, storage and driver, and gives a handle on the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wiesel.cluster.driver import JobOutcome
    from wiesel.cluster.handle import LocalJobHandle
    from wiesel.cluster.job_control import Rebuild
    from wiesel.cluster.options import JobOptions
    from wiesel.graph.job_graph import JobGraph

__all__ = ["execute", "execute_async"]


def execute(graph: JobGraph, options: JobOptions, rebuild: Rebuild | None = None) -> JobOutcome:
    """Run a job on the calling thread to its end.

    Args:
        graph: the job.
        options: how to run it.
        rebuild: returns the job with another default parallelism, so that it can be rescaled while it runs.

    Raises:
        JobCanceledError: it was cancelled from outside.
        JobExecutionError: the job failed for good.
        WieselError: it could not be started.
    """
    from wiesel.cluster.local import run_job
    from wiesel.core.errors import JobCanceledError
    from wiesel.runtime.job_master.commands import JobState

    outcome = run_job(graph, options, rebuild=rebuild)
    if outcome.state is JobState.CANCELED:
        raise JobCanceledError(f"Job {options.job_id} was cancelled.")
    return outcome


def execute_async(graph: JobGraph, options: JobOptions, rebuild: Rebuild | None = None) -> LocalJobHandle:
    """Run a job on a thread of its own and return a handle on it."""
    from wiesel.cluster.handle import LocalJobHandle

    return LocalJobHandle(graph, options, rebuild)

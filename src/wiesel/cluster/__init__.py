"""Runs job graphs: ``execute`` picks clock, storage and driver, and gives a handle on the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wiesel.cluster.driver import JobOutcome
    from wiesel.cluster.handle import LocalJobHandle
    from wiesel.cluster.options import JobOptions
    from wiesel.graph.job_graph import JobGraph

__all__ = ["execute", "execute_async"]


def execute(graph: JobGraph, options: JobOptions) -> JobOutcome:
    """Run a job on the calling thread to its end.

    Raises:
        JobExecutionError: the job failed for good.
        WieselError: it could not be started.
    """
    from wiesel.cluster.local import run_job

    return run_job(graph, options)


def execute_async(graph: JobGraph, options: JobOptions) -> LocalJobHandle:
    """Run a job on a thread of its own and return a handle on it."""
    from wiesel.cluster.handle import LocalJobHandle

    return LocalJobHandle(graph, options)

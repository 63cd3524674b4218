"""``JobClient``: what a script can ask of its running job (mirrors ``pyflink.common.job_client``)."""

from __future__ import annotations

from wiesel.common.completable_future import CompletableFuture
from wiesel.core.job import JobHandle, JobID

__all__ = ["JobClient"]


class JobClient:
    """Returned by ``execute_async``; every answer is a future.

    Args:
        handle: the cluster's handle on the job.
    """

    def __init__(self, handle: JobHandle) -> None:
        self._handle = handle

    def get_job_id(self) -> JobID:
        """Return the job's id."""
        return self._handle.job_id

    def get_job_status(self) -> CompletableFuture:
        """Ask for the ``JobStatus``."""
        from concurrent.futures import Future

        status: Future[object] = Future()
        status.set_result(self._handle.status())
        return CompletableFuture(status)

    def cancel(self) -> CompletableFuture:
        """Cancel the job; done when it is over."""
        return CompletableFuture(self._handle.cancel())

    def stop_with_savepoint(
        self, advance_to_end_of_event_time: bool, savepoint_directory: str | None = None
    ) -> CompletableFuture:
        """Stop the job at a savepoint; gives its path.

        Args:
            advance_to_end_of_event_time: let all windows and timers of event time fire first.
            savepoint_directory: where to write it; the configured directory when None.
        """
        return CompletableFuture(
            self._handle.stop_with_savepoint(advance_to_end_of_event_time, savepoint_directory), str
        )

    def trigger_savepoint(self, savepoint_directory: str | None = None) -> CompletableFuture:
        """Take a savepoint while the job runs on; gives its path."""
        return CompletableFuture(self._handle.trigger_savepoint(savepoint_directory), str)

    def get_accumulators(self) -> CompletableFuture:
        """Ask for the values of accumulators so far, a dict by name."""
        return CompletableFuture(self._handle.accumulators(), dict)

    def get_job_execution_result(self) -> CompletableFuture:
        """Wait for the end of the job; gives a ``JobExecutionResult``."""
        return CompletableFuture(self._handle.result())

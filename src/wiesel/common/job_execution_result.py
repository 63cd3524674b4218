"""``JobExecutionResult`` (mirrors ``pyflink.common.job_execution_result``)."""

from wiesel.core.job import JobExecutionResult

__all__ = ["JobExecutionResult"]

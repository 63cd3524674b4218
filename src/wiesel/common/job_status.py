"""``JobStatus`` (mirrors ``pyflink.common.job_status``)."""

from wiesel.core.job import JobStatus

__all__ = ["JobStatus"]

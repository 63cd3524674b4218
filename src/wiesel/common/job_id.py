"""``JobID`` (mirrors ``pyflink.common.job_id``)."""

from wiesel.core.job import JobID

__all__ = ["JobID"]

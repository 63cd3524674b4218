"""What the JobMaster must know of a job: inert, and the same for all its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wiesel.runtime.reports import TaskId


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """What the JobMaster must know of an operator to write it into checkpoints."""

    uid: str
    name: str
    vertex_id: int
    parallelism: int
    max_parallelism: int


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What the JobMaster must know of a job.

    Args:
        tasks: all subtasks.
        operators: all operators.
        lineage: the history this start continues or begins.
        has_storage: whether checkpoints can be kept; without, the final barrier only flushes the sinks.
        job_id: the job's id, noted in its checkpoints.
    """

    tasks: Sequence[TaskId]
    operators: Sequence[OperatorFacts]
    lineage: str
    has_storage: bool
    job_id: str = ""

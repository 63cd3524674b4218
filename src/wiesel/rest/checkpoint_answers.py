"""Checkpoints and savepoints as Flink's monitoring REST API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wiesel.rest.job_view import CheckpointsView, CheckpointView, JobView, OperationView, RestoreView


def checkpointing_statistics(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid/checkpoints``: counts and latest of this start; history holds the last few, newest first."""
    checkpoints = view.checkpoints
    in_progress = checkpoints.total - checkpoints.completed - checkpoints.failed
    return {
        "counts": {
            "restored": checkpoints.restored,
            "total": checkpoints.total,
            "in_progress": in_progress,
            "completed": checkpoints.completed,
            "failed": checkpoints.failed,
        },
        "summary": _summary(checkpoints),
        "latest": {
            "completed": _optional(checkpoints.latest_completed),
            "savepoint": _optional(checkpoints.latest_savepoint),
            "failed": _optional(checkpoints.latest_failed),
            "restored": _restored(checkpoints.latest_restored),
        },
        "history": [checkpoint(entry) for entry in checkpoints.history],
    }


def checkpoint(entry: CheckpointView) -> dict[str, Any]:
    """One checkpoint, in the history and in ``/jobs/:jobid/checkpoints/details/:checkpointid``."""
    duration = entry.ended_ms - entry.triggered_ms if entry.ended_ms >= 0 else 0
    answer: dict[str, Any] = {
        "className": entry.status.lower(),
        "id": entry.checkpoint_id,
        "status": entry.status,
        "is_savepoint": entry.is_savepoint,
        "savepointFormat": "CANONICAL" if entry.is_savepoint else None,
        "trigger_timestamp": entry.triggered_ms,
        "latest_ack_timestamp": entry.ended_ms,
        "checkpointed_size": entry.state_size,
        "state_size": entry.state_size,
        "end_to_end_duration": duration,
        "alignment_buffered": 0,
        "processed_data": 0,
        "persisted_data": 0,
        "num_subtasks": entry.subtasks,
        "num_acknowledged_subtasks": entry.acknowledged,
        "checkpoint_type": "SAVEPOINT" if entry.is_savepoint else "CHECKPOINT",
        "tasks": {},
    }
    if entry.status == "COMPLETED":
        answer |= {"external_path": str(entry.path), "discarded": False}
    elif entry.status == "FAILED":
        answer |= {"failure_timestamp": entry.ended_ms, "failure_message": entry.failure}
    return answer


def checkpoint_config(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid/checkpoints/config``."""
    settings = view.settings
    return {
        "mode": view.configuration.get("execution.checkpointing.mode", "EXACTLY_ONCE").lower(),
        "interval": settings.interval_ms or 0,
        "timeout": settings.timeout_ms,
        "min_pause": settings.min_pause_ms,
        "max_concurrent": 1,
        "externalization": {"enabled": True, "delete_on_cancellation": False},
        "state_backend": view.configuration.get("state.backend.type", "hashmap"),
        "checkpoint_storage": "filesystem",
        "unaligned_checkpoints": False,
        "tolerable_failed_checkpoints": settings.tolerable_failures,
        "aligned_checkpoint_timeout": 0,
        "checkpoints_after_tasks_finish": True,
        "state_changelog_enabled": False,
    }


def operation(found: OperationView) -> dict[str, Any]:
    """``/jobs/:jobid/savepoints/:triggerid``."""
    if not found.done:
        return {"status": {"id": "IN_PROGRESS"}, "operation": None}
    if found.failure is not None:
        cause = {"class": "CheckpointException", "stack-trace": found.failure, "serialized-throwable": ""}
        return {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": cause}}
    return {"status": {"id": "COMPLETED"}, "operation": {"location": found.location}}


def _optional(entry: CheckpointView | None) -> dict[str, Any] | None:
    return None if entry is None else checkpoint(entry)


def _restored(restored: RestoreView | None) -> dict[str, Any] | None:
    if restored is None:
        return None
    return {
        "id": restored.checkpoint_id,
        "restore_timestamp": restored.restored_ms,
        "is_savepoint": restored.path is not None and not restored.path.name.startswith("chk-"),
        "external_path": None if restored.path is None else str(restored.path),
    }


def _summary(checkpoints: CheckpointsView) -> dict[str, Any]:
    """Minimum, maximum and mean of the completed checkpoints that the history still holds."""
    completed = [entry for entry in checkpoints.history if entry.status == "COMPLETED"]
    sizes = _statistics([entry.state_size for entry in completed])
    durations = _statistics([entry.ended_ms - entry.triggered_ms for entry in completed])
    nothing = _statistics([])
    return {
        "checkpointed_size": sizes,
        "state_size": sizes,
        "end_to_end_duration": durations,
        "alignment_buffered": nothing,
        "processed_data": nothing,
        "persisted_data": nothing,
    }


def _statistics(numbers: Sequence[int]) -> dict[str, float]:
    ordered = sorted(numbers) or [0]
    quantiles = {f"p{name}": ordered[round(share * (len(ordered) - 1))] for name, share in _QUANTILES.items()}
    return {"min": ordered[0], "max": ordered[-1], "avg": sum(ordered) // len(ordered), **quantiles}


_QUANTILES = {"50": 0.5, "90": 0.9, "95": 0.95, "99": 0.99, "999": 0.999}

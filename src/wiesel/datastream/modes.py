"""Enumerations of the environment: checkpointing and execution modes, retention of checkpoints."""

from __future__ import annotations

from enum import Enum

__all__ = ["CheckpointingMode", "ExternalizedCheckpointRetention", "RuntimeExecutionMode", "TimeCharacteristic"]


class CheckpointingMode(Enum):
    """Whether barriers are aligned (Flink: ``CheckpointingMode``)."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1


class ExternalizedCheckpointRetention(Enum):
    """What becomes of checkpoints when a job is cancelled (Flink: ``ExternalizedCheckpointRetention``)."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


class RuntimeExecutionMode(Enum):
    """How a program runs (Flink: ``RuntimeExecutionMode``)."""

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2


class TimeCharacteristic(Enum):
    """Flink 1.x: which time a program goes by; since 1.12 each operator says so itself."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2

"""``InputDependencyConstraint`` (mirrors ``pyflink.common.input_dependency_constraint``)."""

from enum import Enum

__all__ = ["InputDependencyConstraint"]


class InputDependencyConstraint(Enum):
    """When Flink's old scheduler started a task: with any of its inputs, or with all. Without effect today."""

    ANY = 0
    ALL = 1

"""Ready-made conditions for another attempt (``pyflink.datastream.async_retry_predicates``)."""

from __future__ import annotations

from typing import Any

__all__ = ["empty_result_predicate", "exception_type_predicate", "has_exception_predicate"]


def empty_result_predicate(result: list[Any] | None) -> bool:
    """Whether an attempt had no result."""
    return result is None or len(result) == 0


def has_exception_predicate(error: BaseException | None) -> bool:
    """Whether an attempt raised anything."""
    return error is not None


def exception_type_predicate(error: BaseException, expected_error_type: type[BaseException]) -> bool:
    """Whether an attempt raised ``expected_error_type``; bind the type with ``functools.partial``."""
    return isinstance(error, expected_error_type)

"""Errors on their way from a worker to the driver: tracebacks cannot be pickled, so they travel as text."""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.core.errors import JobExecutionError, WieselError
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.core.tracebacks import format_user_traceback, has_user_frames
from wiesel.runtime.failures import summary_of


@dataclass(frozen=True, slots=True)
class ShippedError:
    """An exception as data.

    Args:
        error: pickle of the error, an error of ours.
        cause: pickle of the user's exception behind it; None when it cannot be pickled.
        cause_text: its class and text, for when it cannot be unpickled.
        traceback_text: the traceback to show, empty when it would hold nothing of the user's.
    """

    error: bytes
    cause: bytes | None
    cause_text: str | None
    traceback_text: str


def ship_error(error: BaseException, *, verbose: bool) -> ShippedError:
    """Return an exception as data; what is not ours is wrapped in a ``JobExecutionError``."""
    if not isinstance(error, WieselError):
        wrapped = JobExecutionError(summary_of(error))
        wrapped.__cause__ = error
        error = wrapped
    cause = error.__cause__ if isinstance(error, JobExecutionError) else None
    return ShippedError(
        error=_pickled(error) or pickle_value(JobExecutionError(str(error))),
        cause=None if cause is None else _pickled(cause),
        cause_text=None if cause is None else f"{type(cause).__name__}: {cause}",
        traceback_text=_traceback_text(error, cause, verbose),
    )


def restore_error(shipped: ShippedError) -> WieselError:
    """Return the exception again, its traceback in ``traceback_text``."""
    error: WieselError = unpickle_value(shipped.error)
    error.traceback_text = shipped.traceback_text
    if shipped.cause_text is not None:
        cause = _unpickled(shipped.cause)
        error.__cause__ = RuntimeError(shipped.cause_text) if cause is None else cause
    return error


def _traceback_text(error: WieselError, cause: BaseException | None, verbose: bool) -> str:
    if verbose:
        return format_user_traceback(error, engine_frames=True)
    if cause is not None:
        return format_user_traceback(cause)
    return format_user_traceback(error) if has_user_frames(error) else ""


def _pickled(error: BaseException) -> bytes | None:
    """Return a pickle from which the error really comes back; many exceptions pickle and then do not load."""
    try:
        data = pickle_value(error)
    except Exception:
        return None
    return None if _unpickled(data) is None else data


def _unpickled(data: bytes | None) -> BaseException | None:
    try:
        error = None if data is None else unpickle_value(data)
    except Exception:
        return None
    return error if isinstance(error, BaseException) else None

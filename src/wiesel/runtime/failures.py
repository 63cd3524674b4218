"""Turns an exception inside a task into the one line a user needs: operator, subtask, record, place.

The hot path carries nothing for this. When something is raised, the traceback is read: a generated function knows whose
its lines are (``inlining.py``); another engine frame between two operators holds its record as ``value`` and its
downstream as ``out`` or ``emit``, which tells whose frame it is. A sink's frame is its writer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from wiesel.compat.missing_members import hint_of
from wiesel.core.errors import JobExecutionError, WieselError
from wiesel.runtime.inlining import OWNERS
from wiesel.runtime.misuse import expected_and_got

_ENGINE: Final = str(Path(__file__).parent)
_RECORD_TEXT_LIMIT: Final = 200
_NO_RECORD: Final = object()
#: What Python says when the system refuses it a thread.
_NO_THREAD: Final = "can't start new thread"
MORE_MEMORY: Final = (
    "Keep state that is larger than memory on disk (state.backend.type: rocksdb), or give the process more"
)


def shorten(value: object, limit: int = _RECORD_TEXT_LIMIT) -> str:
    """Return ``repr(value)`` cut to ``limit`` characters; a failing ``__repr__`` is shown as such."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr failed: {error}>"
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def describe(
    error: BaseException,
    *,
    task_name: str,
    subtask: int,
    parallelism: int,
    operator_of: Mapping[int, str],
    locate: Callable[[], str | None],
) -> JobExecutionError:
    """Return the error that fails the job, with ``error`` as its cause.

    Args:
        error: what was raised.
        task_name: name of the chain, used where no operator can be told.
        subtask: index of the parallel instance.
        parallelism: number of instances.
        operator_of: operator names by the ``id`` of the callables that enter or leave them.
        locate: tells where the record being processed came from.
    """
    if isinstance(error, JobExecutionError):
        return error
    operator, record = _blame(error.__traceback__, operator_of)
    name = operator or task_name
    place = locate()
    record_text = None if record is _NO_RECORD else shorten(record)
    parts = [f"operator {name!r}, subtask {subtask + 1}/{parallelism}"]
    if record_text is not None:
        parts.append(f"record {record_text}")
    if place is not None:
        parts.append(place)
    summary = summary_of(error)
    failure = JobExecutionError(
        f"{summary} [{', '.join(parts)}]", operator=name, subtask=subtask, record=record_text, location=place
    )
    failure.__cause__ = error
    return failure


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine gives the process no more memory, which a thread needs as well."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_THREAD in str(error))


def summary_of(error: BaseException) -> str:
    """Return the one line that tells what was raised, and what to do where that is known."""
    if isinstance(error, WieselError):
        return str(error)
    if isinstance(error, MemoryError):  # has no text of its own
        return f"MemoryError: the process has no memory left. {MORE_MEMORY}"
    if is_out_of_memory(error):
        return (
            f"RuntimeError: {_NO_THREAD}: the process has no memory left for one, or as many threads as it may have "
            f"(ulimit -u, the container's limit). {MORE_MEMORY}"
        )
    return f"{type(error).__name__}: {error}{hint_of(error) or expected_and_got(error)}"


def _blame(trace: TracebackType | None, operator_of: Mapping[int, str]) -> tuple[str | None, Any]:
    operator: str | None = None
    record: Any = _NO_RECORD
    while trace is not None:
        frame = trace.tb_frame
        is_ours = frame.f_code.co_filename.startswith(_ENGINE)
        names = frame.f_locals
        owner = frame.f_globals[OWNERS][trace.tb_lineno - 1] if is_ours and OWNERS in frame.f_globals else None
        if owner is not None:
            operator, record = owner[0], names.get(owner[1], _NO_RECORD)
            trace = trace.tb_next
            continue
        # The downstream first: one function may serve two operators (``map(int)``), a downstream belongs to one.
        for variable in ("out", "emit", "function", "extract", "self") if is_ours else ("self",):
            found = operator_of.get(id(names.get(variable)))
            if found is not None:
                operator = found
                record = names.get("value", _NO_RECORD)
                break
        else:
            if is_ours and record is _NO_RECORD:
                record = names.get("value", _NO_RECORD)
        trace = trace.tb_next
    return operator, record

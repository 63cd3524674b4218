"""Tracebacks for the people who wrote the job: their own frames, without the engine's between them."""

from __future__ import annotations

import os
from pathlib import Path
from traceback import TracebackException
from typing import Final

_NOT_THE_USERS: Final = (f"{Path(__file__).parent.parent}{os.sep}", "<frozen importlib", "<frozen runpy")


def format_user_traceback(error: BaseException, *, engine_frames: bool = False) -> str:
    """The traceback of ``error`` and of its causes, as Python prints it, ending with a newline.

    Args:
        error: any exception that was raised.
        engine_frames: keep the frames of Wiesel and of the import machinery.
    """
    summary = TracebackException.from_exception(error)
    if not engine_frames:
        _drop_engine_frames(summary, set())
    return "".join(summary.format())


def has_user_frames(error: BaseException) -> bool:
    """Whether any code outside of the engine led to ``error``."""
    return any(not _is_engine(frame.filename) for frame in TracebackException.from_exception(error).stack)


def _drop_engine_frames(summary: TracebackException | None, seen: set[int]) -> None:
    if summary is None or id(summary) in seen:
        return
    seen.add(id(summary))
    summary.stack[:] = [frame for frame in summary.stack if not _is_engine(frame.filename)]
    for related in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        _drop_engine_frames(related, seen)


def _is_engine(filename: str) -> bool:
    return filename.startswith(_NOT_THE_USERS)

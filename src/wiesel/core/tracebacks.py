"""Tracebacks for the people who wrote the job: their own frames, without the engine's between them."""

from __future__ import annotations

import os
from pathlib import Path
from traceback import FrameSummary, TracebackException
from typing import Final

_ENGINE: Final = (f"{Path(__file__).parent.parent}{os.sep}", "<frozen importlib", "<frozen runpy")
#: What the engine calls into. Code of the user's may be installed beside these, so they are named one by one.
_LIBRARIES: Final = (
    f"{Path(os.__file__).parent}{os.sep}",
    *(f"{os.sep}site-packages{os.sep}{name}{os.sep}" for name in ("cloudpickle", "confluent_kafka")),
)
_INSTALLED: Final = f"{os.sep}site-packages{os.sep}"


def format_user_traceback(error: BaseException, *, engine_frames: bool = False) -> str:
    """The traceback of ``error`` and of its causes, as Python prints it, ending with a newline.

    Where the engine raised an error because of another, that other one is left out unless code of the user's had a
    part in it: the engine's own error says what it meant.

    Args:
        error: any exception that was raised.
        engine_frames: keep everything.
    """
    summary = TracebackException.from_exception(error)
    if not engine_frames:
        _drop_engine(summary, set())
    return "".join(summary.format())


def has_user_frames(error: BaseException) -> bool:
    """Whether any code outside of the engine led to ``error``."""
    return any(not _is_engine(frame.filename) for frame in TracebackException.from_exception(error).stack)


def _drop_engine(summary: TracebackException | None, seen: set[int]) -> None:
    if summary is None or id(summary) in seen:
        return
    seen.add(id(summary))
    if not summary.stack or _is_engine(summary.stack[-1].filename):
        summary.__cause__ = _first_of_the_users(summary.__cause__)
        summary.__context__ = _first_of_the_users(summary.__context__)
    summary.stack[:] = _without_engine(summary)
    for related in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        _drop_engine(related, seen)


def _without_engine(summary: TracebackException) -> list[FrameSummary]:
    """Leave out the engine and the libraries that it calls; those that the user's code calls stay."""
    kept = []
    in_engine = False
    for frame in summary.stack:
        in_engine = _is_engine(frame.filename) or (in_engine and not _is_users(frame.filename))
        if not in_engine:
            kept.append(frame)
    return kept


def _first_of_the_users(summary: TracebackException | None) -> TracebackException | None:
    """Follow the chain to the first exception that passed through code of the user's."""
    while summary is not None and not any(_is_users(frame.filename) for frame in summary.stack):
        summary = summary.__cause__ or summary.__context__
    return summary


def _is_engine(filename: str) -> bool:
    return filename.startswith(_ENGINE)


def _is_users(filename: str) -> bool:
    if _is_engine(filename):
        return False
    standard, *libraries = _LIBRARIES
    if filename.startswith(standard) and _INSTALLED not in filename:
        return False
    return not any(library in filename for library in libraries)

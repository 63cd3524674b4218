"""The last words of a process that failed: the user's own frames first, then one line that says what to do."""

from __future__ import annotations

import sys
from traceback import format_exception_only

from wiesel.compat.errors import UnsupportedNameError
from wiesel.compat.missing_members import hint_of
from wiesel.core import exit_codes
from wiesel.core.errors import JobExecutionError, WieselError, exit_code_of
from wiesel.core.redaction import redact
from wiesel.core.tracebacks import format_user_traceback, has_user_frames


def show_error(error: BaseException, *, verbose: bool, as_json: bool = False) -> int:
    """Report ``error`` on stderr and return the exit code that it means.

    Args:
        error: what ended the script.
        verbose: keep the frames of the engine.
        as_json: as one log line, for ``--log-format json``.
    """
    if isinstance(error, KeyboardInterrupt):
        return exit_codes.INTERRUPTED
    if sys.excepthook is not sys.__excepthook__:
        # The script has its own idea of reporting; it does not replace ours, which names operator and record.
        sys.excepthook(type(error), error, error.__traceback__)
    traceback = user_traceback(error, verbose=verbose)
    if as_json:
        import logging

        logging.getLogger("wiesel.job").error(message_line(error), extra={"exception": traceback})
        return exit_code(error)
    sys.stdout.flush()
    # Python's own last line of a traceback already says everything about an exception that is not ours.
    said = not _is_ours(error) and traceback and not hint_of(error)
    message = "" if said else f"error: {message_line(error)}\n"
    sys.stderr.write(redact(traceback + message))
    return exit_code(error)


def user_traceback(error: BaseException, *, verbose: bool) -> str:
    """The traceback to show above the message line; empty when it would hold nothing of the user's."""
    text = _user_traceback(error, verbose=verbose)
    return text if '  File "' in text else ""  # without a frame it is the message over again


def _user_traceback(error: BaseException, *, verbose: bool) -> str:
    if isinstance(error, WieselError) and error.traceback_text is not None:
        return _without_message(error.traceback_text, error.__cause__ or error)
    shown = error
    if isinstance(error, JobExecutionError) and not verbose:
        if error.__cause__ is None:
            return ""
        shown = error.__cause__
    elif not verbose and not has_user_frames(error) and not isinstance(error, SyntaxError):
        return ""
    return _without_message(format_user_traceback(shown, engine_frames=verbose), shown)


def _without_message(text: str, shown: BaseException) -> str:
    """Leave out the message of errors of ours, which follows on a line of its own without the class's dotted name."""
    return text.removesuffix("".join(format_exception_only(shown))) if _is_ours(shown) else text


def message_line(error: BaseException) -> str:
    """What happened and, for errors of ours, what to do."""
    return str(error) if _is_ours(error) else f"{format_exception_only(error)[-1].rstrip()}{hint_of(error)}"


def exit_code(error: BaseException) -> int:
    """The exit code that ``error`` means (docs/exit-codes.md)."""
    if isinstance(error, UnsupportedNameError):
        return error.exit_code
    if isinstance(error, JobExecutionError) and isinstance(error.__cause__, UnsupportedNameError):
        return error.__cause__.exit_code
    return exit_code_of(error)


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, WieselError | UnsupportedNameError)

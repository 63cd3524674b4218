"""What a worker says to the outside: whole lines on the stdout that all share, log records by way of the driver."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from wiesel.core.isolation import ATOMS

#: A pipe takes so many bytes at once without mixing them with those of another process (PIPE_BUF on Linux).
_AT_ONCE: Final = 4096


class WholeLines(io.RawIOBase):
    """Writes a descriptor in pieces that end with a line, so that lines of several processes do not mix.

    Args:
        fd: the descriptor.
        at_each_line: do not gather lines; for terminals.
    """

    def __init__(self, fd: int, at_each_line: bool) -> None:
        self._fd = fd
        self._limit = 0 if at_each_line else _AT_ONCE
        self._lines = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._fd)

    def write(self, data: Any, /) -> int:
        """Take bytes; write out what would not fit with them into one piece."""
        if len(self._lines) + len(data) > self._limit:
            self._write_lines()
        self._lines += data
        if len(self._lines) > self._limit:
            self._write_lines()
        return len(data)

    def flush(self) -> None:
        """Write everything, an unfinished line too."""
        self._write(len(self._lines))

    def _write_lines(self) -> None:
        self._write(self._lines.rfind(b"\n") + 1)

    def _write(self, end: int) -> None:
        view = bytes(self._lines[:end])
        del self._lines[:end]
        while view:
            view = view[os.write(self._fd, view) :]


def share_stdout() -> None:
    """Let ``sys.stdout`` write whole lines."""
    raw = WholeLines(sys.stdout.fileno(), os.isatty(sys.stdout.fileno()))
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdout = io.TextIOWrapper(raw, encoding=encoding, errors=errors, write_through=True)


class LogForwarder(logging.Handler):
    """Hands log records, as fields that can be pickled, to the driver, which knows how they are to be shown.

    Args:
        send: takes the fields, from any thread.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record with its text already made."""
        fields = dict(record.__dict__, msg=record.getMessage(), args=None)
        if record.exc_info:
            fields["exc_text"] = logging.Formatter().formatException(record.exc_info)
            fields["exc_info"] = None
        # What a script adds with extra= may be anything, also something that cannot be pickled.
        self._send({key: value if type(value) in ATOMS else str(value) for key, value in fields.items()})

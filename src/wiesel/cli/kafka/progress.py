"""What a start is doing, on stderr: a line with a spinner on a terminal, else one plain line a step."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.status import Status


class StartProgress:
    """A Report (wiesel.java.jars) that shows while it is entered as a context, and leaves nothing on a terminal."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("starting")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the terminal to others; called again it does nothing."""
        if self._status is not None:
            self._status.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` parts of ``total`` (0: not known) are done of ``what``."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(f"{what} {done}/{total}" if total else what))
        elif done == 0:
            print(f"{what} ({total})" if total else what, file=sys.stderr, flush=True)

"""Keeps the cyclic garbage collector from looking through all state again and again.

A full collection visits every container there is: with a million dictionaries as state it stops the records for a
tenth of a second and more, and finds nothing. So what is there at a checkpoint is frozen (``gc.freeze``), which takes
microseconds, and collections then see only what is new. Frozen garbage would never be found; that is why everything is
thawed and looked through once the process has grown by half since the last time.

The program and the engine, which never become garbage, are frozen when records begin to flow. And since records come in
batches of thousands, young objects are looked at less often than Python does by itself: a batch has gone by then.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Growth of resident memory that calls for a look at everything.
_GROWTH: Final = 1.5
#: So many more objects made than gone call for a look at the young ones; Python's own number is 700, or 2,000.
_YOUNG: Final = 20_000
_STATM: Final = Path("/proc/self/statm")


def resident_pages() -> int:
    """Return the pages of memory in use, 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1])
    except OSError:
        return 0


class StateFreezer:
    """The policy of one process; call it between two steps.

    Args:
        enabled: ``wiesel.gc.freeze-state``.
        memory: tells how much is in use.
    """

    def __init__(self, enabled: bool, memory: Callable[[], int] = resident_pages) -> None:
        self._enabled = enabled and _STATM.exists()
        self._memory = memory
        self._looked_at = 0
        self._threshold: tuple[int, int, int] | None = None

    def at_start(self, again: bool) -> None:
        """Freeze the program, and let a batch of records be gone before the collector looks.

        Args:
            again: whether tasks ran before: what they leave behind, state and all, is collected and not frozen.
        """
        if not self._enabled or not gc.isenabled():
            return
        if again:
            gc.collect()
        gc.freeze()
        young, middle, old = gc.get_threshold()
        if 0 < young < _YOUNG:  # 0 means never
            self._threshold = young, middle, old
            gc.set_threshold(_YOUNG, middle, old)

    def at_checkpoint(self) -> None:
        """Freeze what is there, after a full collection if there is much more of it than at the last one."""
        if not self._enabled or not gc.isenabled():
            return
        used = self._memory()
        self._looked_at = self._looked_at or used
        if used > self._looked_at * _GROWTH:
            gc.unfreeze()
            gc.collect()
            self._looked_at = self._memory()
        gc.freeze()

    def close(self) -> None:
        """The job is over: let the collector see everything again."""
        if self._enabled:
            gc.unfreeze()
        if self._threshold is not None:
            gc.set_threshold(*self._threshold)
            self._threshold = None

"""Says in the log, now and then, which input keeps windows from closing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.held_back import HeldBack, diagnose
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")
#: Seconds between two lines about the same operator and input.
_AGAIN: Final = 300.0


class HeldBackLog:
    """Looks at the counters of tasks for what ``diagnose`` finds.

    Args:
        graph: the job's.
    """

    def __init__(self, graph: JobGraph) -> None:
        self._graph = graph
        self._told: dict[tuple[int, str], float] = {}
        self._seen: set[tuple[int, int | None]] = set()

    def look(self, now: float, figures: Iterable[TaskFigures]) -> list[HeldBack]:
        """Warn about what stands still since the last look, and return it.

        Args:
            now: monotonic seconds.
            figures: counters of the job's tasks.
        """
        found = diagnose(self._graph, figures)
        # A watermark that has moved since is slow, and not held.
        seen = {(one.vertex_id, one.watermark) for one in found}
        held = [one for one in found if (one.vertex_id, one.watermark) in self._seen]
        self._seen = seen
        for one in held:
            key = (one.vertex_id, one.held_back_by)
            if now - self._told.get(key, -_AGAIN) >= _AGAIN:
                self._told[key] = now
                _log.log(_level(one), "%s", one)
        return held


def _level(held: HeldBack) -> int:
    """Silence of all inputs may be their nature, and a function's timer may be for tomorrow."""
    if held.others_are_past:
        return logging.WARNING
    return logging.INFO if held.is_window else logging.DEBUG

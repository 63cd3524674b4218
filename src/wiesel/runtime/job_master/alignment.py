"""How far the sources of an alignment group may go: the event time of the slowest, and the allowed drift (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.watermarks import Alignment
from wiesel.runtime.reports import TaskId


class WatermarkAlignment:
    """Watermarks of one attempt's source tasks, by group.

    A task counts from its first report on. Sources of one group share its slowest task; the drift is each one's own.

    Args:
        sources: the aligned sources, by vertex.
    """

    def __init__(self, sources: Mapping[int, Alignment]) -> None:
        self._sources = sources
        self._watermarks: dict[str, dict[TaskId, int]] = {alignment.group: {} for alignment in sources.values()}
        self._limits = dict.fromkeys(sources, MAX_WATERMARK)

    def report(self, task: TaskId, watermark: int | None) -> dict[int, int]:
        """Learn a task's event time, None when it holds nobody back, and return the limits that this changes.

        Returns:
            The highest watermark that tasks of a source may have, by vertex.
        """
        source = self._sources.get(task.vertex_id)
        if source is None:
            return {}
        watermarks = self._watermarks[source.group]
        if watermark is None:
            watermarks.pop(task, None)
        else:
            watermarks[task] = watermark
        slowest = min(watermarks.values(), default=MAX_WATERMARK)
        limits = {
            vertex: min(slowest + alignment.max_drift_ms, MAX_WATERMARK)
            for vertex, alignment in self._sources.items()
            if alignment.group == source.group
        }
        changed = {vertex: limit for vertex, limit in limits.items() if limit != self._limits[vertex]}
        self._limits.update(changed)
        return changed

"""The enumerators of one attempt: discover on I/O threads, assign on the driving thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from wiesel.cluster.background import Background
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Clock, Json, Source, SourceContext, SourceSplit, SplitEnumerator
from wiesel.core.operator_specs import SourceSpec
from wiesel.graph.job_graph import JobGraph, JobVertex
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.job_master.alignment import WatermarkAlignment
from wiesel.runtime.reports import TaskId

_log = logging.getLogger("wiesel.cluster")


class SplitReceiver(Protocol):
    """A source task, in this process or another."""

    def add_splits(self, splits: list[SourceSplit], no_more: bool) -> None:
        """Give the reader splits, and say whether any more can come."""

    def limit_watermark(self, max_watermark: int) -> None:
        """Hold splits back whose event time is beyond ``max_watermark``."""


@dataclass(slots=True)
class _Enumeration:
    uid: str
    name: str
    vertex: JobVertex
    enumerator: SplitEnumerator
    due: float
    running: bool = False
    discovered: bool = False


class SourceCoordinator:
    """Finds splits and gives them to the readers of one attempt.

    Args:
        graph: the job.
        readers: the attempt's source tasks by vertex and subtask.
        restore: the checkpoint the attempt goes on from.
        background: runs discoveries.
        clock: time.
        configuration: the job's configuration.
        failed: told the error of a first discovery that failed (a later one is logged and tried again).
    """

    def __init__(
        self,
        graph: JobGraph,
        readers: Mapping[tuple[int, int], SplitReceiver],
        restore: CheckpointManifest | None,
        background: Background,
        clock: Clock,
        configuration: Configuration,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._readers = readers
        self._background = background
        self._clock = clock
        self._failed = failed
        self._closed = False
        self._enumerations: list[_Enumeration] = []
        self._alignment = _alignment(graph)
        try:
            for vertex, operator in graph.operators():
                if isinstance(operator.spec, SourceSpec):
                    restored = None if restore is None else restore.operators.get(operator.uid)
                    self._create(vertex, operator.uid, operator.name, operator.spec.source, restored, configuration)
        except BaseException:
            self.close()
            raise

    def _create(
        self,
        vertex: JobVertex,
        uid: str,
        name: str,
        source: Source,
        restored: OperatorManifest | None,
        configuration: Configuration,
    ) -> None:
        context = SourceContext(uid, name, -1, vertex.parallelism, configuration, wake=lambda: None)
        enumerator = source.create_enumerator(context, None if restored is None else restored.enumerator)
        enumeration = _Enumeration(uid, name, vertex, enumerator, self._clock.monotonic())
        self._enumerations.append(enumeration)
        if restored is not None:
            splits = [split for subtask in restored.subtasks for split in subtask.splits]
            self._assign(enumeration, splits, no_more=False)

    def _assign(
        self, enumeration: _Enumeration, splits: Sequence[SourceSplit], no_more: bool, everybody: bool = False
    ) -> None:
        by_owner: dict[int, list[SourceSplit]] = {}
        for split in splits:
            by_owner.setdefault(enumeration.enumerator.owner(split.split_id), []).append(split)
        for subtask in range(enumeration.vertex.parallelism):
            owned = by_owner.get(subtask, [])
            if owned or no_more or everybody:
                self._readers[enumeration.vertex.vertex_id, subtask].add_splits(owned, no_more)

    def align(self, task: TaskId, watermark: int | None) -> None:
        """Learn a source task's event time, None when it holds nobody back, and tell readers how far they may go."""
        if self._alignment is None:
            return
        for vertex_id, limit in self._alignment.report(task, watermark).items():
            for (reader_of, _), reader in self._readers.items():
                if reader_of == vertex_id:
                    reader.limit_watermark(limit)

    def discover_if_due(self) -> None:
        """Start the discoveries whose time has come."""
        now = self._clock.monotonic()
        for enumeration in self._enumerations:
            if not enumeration.running and now >= enumeration.due:
                enumeration.running = True
                self._background.run(enumeration.enumerator.discover, partial(self._discovered, enumeration))

    def _discovered(self, enumeration: _Enumeration, result: Json | BaseException) -> None:
        if self._closed:
            return
        interval = enumeration.enumerator.discovery_interval_ms
        enumeration.running = False
        enumeration.due = float("inf") if interval is None else self._clock.monotonic() + interval / 1000
        try:
            if isinstance(result, BaseException):
                raise result
            splits = enumeration.enumerator.on_discovered(result)
        except Exception as error:
            if not enumeration.discovered:
                self._failed(error)
            else:
                _log.warning("Looking for new splits of %r failed and will be tried again: %s", enumeration.name, error)
            return
        # From the first time on each reader knows whether it has splits at all: without one it holds nobody back.
        self._assign(enumeration, splits, no_more=interval is None, everybody=not enumeration.discovered)
        enumeration.discovered = True

    def next_due(self) -> float:
        """Return the monotonic time of the next discovery."""
        return min((e.due for e in self._enumerations if not e.running), default=float("inf"))

    def snapshot(self) -> dict[str, Json]:
        """Return every enumerator's snapshot by operator uid."""
        return {e.uid: e.enumerator.snapshot() for e in self._enumerations}

    def close(self) -> None:
        """Drop results still on their way and release clients."""
        self._closed = True
        for enumeration in self._enumerations:
            enumeration.enumerator.close()


def _alignment(graph: JobGraph) -> WatermarkAlignment | None:
    """Return the alignment of the job's sources, None when it has none."""
    strategies = {
        v.vertex_id: o.spec.watermark_strategy for v, o in graph.operators() if isinstance(o.spec, SourceSpec)
    }
    aligned = {vertex: s.alignment for vertex, s in strategies.items() if s.alignment is not None}
    return WatermarkAlignment(aligned) if aligned else None

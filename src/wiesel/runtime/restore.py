"""Which parts of a checkpoint a subtask takes over, at the same parallelism or another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from wiesel.core.errors import RestoreRefusedError
from wiesel.core.key_groups import default_max_parallelism
from wiesel.graph.job_graph import JobGraph, JobVertex
from wiesel.runtime.chain import KeyedRestore, OperatorRestore
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.reports import OperatorSnapshot, StateFile

_log = logging.getLogger("wiesel.runtime")
#: How many operators a message names.
_NAMED: Final = 5


def check_restorable(
    manifest: CheckpointManifest, graph: JobGraph, allow_non_restored_state: bool, where: str | None = None
) -> None:
    """Refuse a checkpoint that does not fit the program, before anything of it is loaded.

    Args:
        manifest: the checkpoint.
        graph: the program, with the maximum parallelism of ``with_restored_max_parallelism``.
        allow_non_restored_state: drop state whose operator is gone.
        where: the checkpoint's path, for messages.

    Raises:
        RestoreRefusedError: state without an operator, no operator of the program's at all, or another maximum
            parallelism; the text names the uids.
    """
    where = where or f"Checkpoint {manifest.checkpoint_id}"
    vertices = {operator.uid: vertex for vertex, operator in graph.operators()}
    stateful = {uid: saved for uid, saved in manifest.operators.items() if _has_state(saved)}
    lost = {uid: saved for uid, saved in stateful.items() if uid not in vertices}
    if lost and not manifest.operators.keys() & vertices.keys():
        raise RestoreRefusedError(
            f"{where} holds state of {_names(lost)}{_of_job(manifest)}, and this program has none of these operators: "
            f"it is another job's, or its uids have changed. Start from a checkpoint of this job, or without one "
            f"(--fresh)."
        )
    if lost and not allow_non_restored_state:
        raise RestoreRefusedError(
            f"{where} holds state of {_names(lost)}, which this program does not have{_hint(stateful, lost, graph)}. "
            f"Give the operator the same uid() in both programs, or drop its state with --allow-non-restored-state."
        )
    if lost:
        _log.warning("State of %s is dropped, as --allow-non-restored-state says.", _names(lost))
    for uid in stateful.keys() & vertices.keys():
        _check_max_parallelism(uid, stateful[uid], vertices[uid])


def _check_max_parallelism(uid: str, saved: OperatorManifest, vertex: JobVertex) -> None:
    if not _has_keyed(saved) or saved.max_parallelism == vertex.max_parallelism:
        return
    who = f"Operator {saved.name!r} (uid {uid}) was saved with maximum parallelism {saved.max_parallelism}"
    if vertex.parallelism > saved.max_parallelism:
        raise RestoreRefusedError(
            f"{who} and now has parallelism {vertex.parallelism}; it can never have more than its maximum. Set "
            f"parallelism {saved.max_parallelism} or less."
        )
    raise RestoreRefusedError(
        f"{who} and now has {vertex.max_parallelism}; it cannot change. Set max parallelism {saved.max_parallelism}."
    )


def with_restored_max_parallelism(manifest: CheckpointManifest, graph: JobGraph) -> JobGraph:
    """Return the program with the checkpoint's maximum parallelism where it has only the default one, as Flink does.

    Keys belong to groups whose number is fixed for the life of the state, and the default grows with the parallelism.
    """

    def restored(vertex: JobVertex) -> JobVertex:
        saved = manifest.operators.get(vertex.operators[0].uid)
        is_default = vertex.max_parallelism == default_max_parallelism(vertex.parallelism)
        if saved is None or not _has_keyed(saved) or not is_default or vertex.parallelism > saved.max_parallelism:
            return vertex
        return replace(vertex, max_parallelism=saved.max_parallelism)

    return replace(graph, vertices=tuple(map(restored, graph.vertices)))


def _names(operators: Mapping[str, OperatorManifest]) -> str:
    listed = [f"{saved.name!r} (uid {uid})" for uid, saved in operators.items()]
    shown = listed if len(listed) <= _NAMED else [*listed[:_NAMED], f"{len(listed) - _NAMED} more"]
    return f"operator{'s' if len(listed) > 1 else ''} {', '.join(shown)}"


def _of_job(manifest: CheckpointManifest) -> str:
    return f" of job {manifest.job_id!r}" if manifest.job_id else ""


def _hint(stateful: Mapping[str, OperatorManifest], lost: Mapping[str, OperatorManifest], graph: JobGraph) -> str:
    """Name operators that are new and called as a lost one: their generated uid has changed with the program."""
    called = {saved.name for saved in lost.values()}
    found = [o for _, o in graph.operators() if o.uid not in stateful and o.name in called]
    if not found:
        return ""
    return f" (its {', '.join(f'{o.name!r} has uid {o.uid}' for o in found[:_NAMED])})"


def _has_keyed(saved: OperatorManifest) -> bool:
    return any(subtask.keyed is not None for subtask in saved.subtasks)


def _has_state(saved: OperatorManifest) -> bool:
    return _has_keyed(saved) or any(s.state is not None or s.splits for s in saved.subtasks)


def operator_restores(
    manifest: CheckpointManifest,
    vertex: JobVertex,
    subtask: int,
    pieces: Callable[[StateFile], Iterable[bytes]],
    files: Callable[[OperatorSnapshot], Mapping[str, Path]],
) -> dict[str, OperatorRestore]:
    """Return what each operator of one subtask restores, by uid.

    At the same parallelism each subtask takes its own part. At another one every subtask gets every non-keyed state
    whose number fits it in turn, and reads all keyed files, keeping its own key groups.
    """
    restores = {}
    for node in vertex.operators:
        saved = manifest.operators.get(node.uid)
        if saved is None:
            continue
        rescaled = len(saved.subtasks) != vertex.parallelism
        parts = list(saved.subtasks) if rescaled else [saved.subtasks[subtask]]
        own = [p for i, p in enumerate(parts) if not rescaled or i % vertex.parallelism == subtask]
        if rescaled and not own:
            own = parts[:1]  # broadcast state: more subtasks than before, and every one holds the same
        restores[node.uid] = OperatorRestore(
            states=[p.state for p in own if p.state is not None],
            keyed=[KeyedRestore(partial(pieces, p.keyed), files(p)) for p in parts if p.keyed is not None],
            rescaled=rescaled,
        )
    return restores

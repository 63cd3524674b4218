"""Which parts of a checkpoint a subtask takes over, at the same parallelism or another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from wiesel.core.errors import RestoreRefusedError
from wiesel.graph.job_graph import JobGraph, JobVertex
from wiesel.runtime.chain import OperatorRestore
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest
from wiesel.runtime.reports import StateFile


def check_restorable(manifest: CheckpointManifest, graph: JobGraph, allow_non_restored_state: bool) -> None:
    """Refuse a checkpoint that does not fit the program.

    Raises:
        RestoreRefusedError: state without an operator, or another maximum parallelism; the text names the uid.
    """
    maximum = {operator.uid: vertex.max_parallelism for vertex, operator in graph.operators()}
    for uid, saved in manifest.operators.items():
        if uid not in maximum:
            if allow_non_restored_state or not _has_state(saved):
                continue
            raise RestoreRefusedError(
                f"Checkpoint {manifest.checkpoint_id} holds state of operator {saved.name!r} (uid {uid}), which this "
                f"program does not have. Give the operator the same uid() in both programs, or drop its state with "
                f"--allow-non-restored-state."
            )
        if _has_keyed(saved) and saved.max_parallelism != maximum[uid]:
            raise RestoreRefusedError(
                f"Operator {saved.name!r} (uid {uid}) was saved with maximum parallelism {saved.max_parallelism} and "
                f"now has {maximum[uid]}; it cannot change. Set max parallelism {saved.max_parallelism}."
            )


def _has_keyed(saved: OperatorManifest) -> bool:
    return any(subtask.keyed is not None for subtask in saved.subtasks)


def _has_state(saved: OperatorManifest) -> bool:
    return _has_keyed(saved) or any(s.state is not None or s.splits for s in saved.subtasks)


def operator_restores(
    manifest: CheckpointManifest,
    vertex: JobVertex,
    subtask: int,
    pieces: Callable[[StateFile], Iterable[bytes]],
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
            keyed=[partial(pieces, p.keyed) for p in parts if p.keyed is not None],
            rescaled=rescaled,
        )
    return restores

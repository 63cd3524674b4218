"""How a start continues what is on disk: which lineage, which checkpoint, what output is still to be delivered."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wiesel.cluster.filesystem import check_lockable
from wiesel.cluster.options import JobOptions, local_path
from wiesel.cluster.seal_key import load_seal_key
from wiesel.cluster.working_state import working_state
from wiesel.core import failpoints
from wiesel.core.contracts import Committable, Json
from wiesel.core.disk import Disk
from wiesel.core.errors import CheckpointError, LeaseLostError, RestoreRefusedError
from wiesel.core.host import host
from wiesel.core.operator_specs import SinkSpec
from wiesel.core.options import catalog, value_of
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.checkpoint.job_directory import JobDirectory, Lineage, StoreRecord
from wiesel.runtime.checkpoint.manifest import WAYS_OUT, CheckpointManifest
from wiesel.runtime.checkpoint.storage import CheckpointStorage
from wiesel.runtime.restore import check_restorable, with_restored_max_parallelism

_log = logging.getLogger("wiesel.cluster")
#: Seconds in which the workers of an incarnation that was killed must have ended.
_ORPHANS_SECONDS: Final = 5.0


@dataclass(slots=True)
class Start:
    """One start of a job that has a directory.

    Args:
        directory: locked by this process.
        storage: its checkpoints.
        lineage: the history this start continues or begins.
        restore: the checkpoint to go on from, and where it lies.
        pending: output of earlier starts that is not known to be published.
        committers: what the committers had confirmed by then.
        next_checkpoint_id: above every number ever used here.
        owned: complete checkpoints of this lineage, which retention may remove.
        graph: the job, with the maximum parallelism that restored state demands.
        finished: the job had already finished; there is nothing to do.
        continues: lineages behind the restored checkpoint's that have none of their own, up to this one.
    """

    directory: JobDirectory
    storage: CheckpointStorage
    lineage: Lineage
    restore: CheckpointManifest | None
    restore_path: Path | None
    pending: Sequence[Committable]
    committers: Mapping[str, Json]
    next_checkpoint_id: int
    owned: set[int]
    graph: JobGraph
    finished: bool = False
    continues: frozenset[str] = frozenset()


def begin(graph: JobGraph, options: JobOptions) -> Start:
    """Take the lease, decide what this start continues, and make that durable before anything else happens.

    Raises:
        ConfigurationError: the directory's filesystem cannot keep a second copy of this job out.
        LeaseLostError: another copy of the job is running.
        CheckpointError: what this start is cannot be made durable.
        RestoreRefusedError: the start would lose or repeat something silently.
        CheckpointCorruptError: what it must restore is damaged.
    """
    if value_of(options.configuration, catalog.MAX_CONCURRENT_CHECKPOINTS) > 1:
        _log.info("One checkpoint is taken at a time, whatever %s says.", catalog.MAX_CONCURRENT_CHECKPOINTS.key)
    publishes = any(o.spec.sink.transactional for _, o in graph.operators() if isinstance(o.spec, SinkSpec))
    check_lockable(options.job_directory, exactly_once=publishes)
    disk = host().disk()
    directory = _open_directory(disk, options.job_directory)
    try:
        key = load_seal_key(options.configuration)
        storage = CheckpointStorage(disk, directory.path, key, trust=options.trust_pickle)
        # Of an incarnation that was killed.
        disk.remove(working_state(options.configuration, directory.path, directory.record.uuid))
        # What an unfinished checkpoint left; one that was completed and has lost its metadata may get it back.
        kept = {*storage.completed(), *_gone_on_from(directory.record, storage)}
        for checkpoint_id in {*storage.all_ids()} - kept:
            storage.discard(checkpoint_id)
        return _Decision(graph, options, directory, storage).make()
    except OSError as error:
        directory.close()
        raise CheckpointError(
            f"The job could not be started: {error.strerror or error} ({error.filename or directory.path}). Make room "
            f"there and start it again in the same way, or set execution.checkpointing.dir to another place."
        ) from error
    except BaseException:
        directory.close()
        raise


def _gone_on_from(record: StoreRecord, storage: CheckpointStorage) -> set[int]:
    """Return the checkpoints that were completed and are what the job goes on from, however damaged they are now."""
    base = record.newest.base if record.newest is not None else None
    return {n for n in storage.all_ids() if n == record.last_checkpoint or str(storage.path_of(n)) == base}


def _open_directory(disk: Disk, path: Path) -> JobDirectory:
    """Open and lock the job directory; workers of an incarnation that was killed hold the lock for a last moment."""
    deadline = host().monotonic() + _ORPHANS_SECONDS
    while True:
        try:
            return JobDirectory(disk, path, host().unique())
        except LeaseLostError as error:
            if error.owner is None or _is_alive(error.owner) or host().monotonic() > deadline:
                raise
        host().sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, alive
    return True


def sink_shape(graph: JobGraph) -> dict[str, Any]:
    """Return what makes a lineage's sinks comparable: uid → parallelism and the sink's own identity."""
    return {
        operator.uid: [vertex.parallelism, getattr(operator.spec.sink, "identity", None)]
        for vertex, operator in graph.operators()
        if isinstance(operator.spec, SinkSpec)
    }


def _continued(record: StoreRecord, restored: str | None) -> frozenset[str]:
    """Return the lineages between the restored checkpoint's and the newest one, which were reshaped without one.

    A backup of the job directory from before their first checkpoint knows of none, and what they have published since
    must not be published again under the name of a new lineage.
    """
    if failpoints.ablated("rule7"):
        return frozenset()
    continued = set()
    for earlier, later in zip(reversed(record.lineages[:-1]), reversed(record.lineages), strict=False):
        if later.kind != "reshaped" or restored in (earlier.lineage_id, later.lineage_id):
            break
        continued.add(earlier.lineage_id)
    return frozenset(continued)


class _Decision:
    def __init__(
        self, graph: JobGraph, options: JobOptions, directory: JobDirectory, storage: CheckpointStorage
    ) -> None:
        self._graph = graph
        self._options = options
        self._directory = directory
        self._storage = storage
        self._record: StoreRecord = directory.record
        self._shape = sink_shape(graph)
        self._newest = self._record.newest

    def make(self) -> Start:
        if self._newest is not None and self._options.resume and self._newest.outcome == "finished":
            return self._start(self._newest, None, None, finished=True)
        record, restore, restore_path = self._choose()
        if restore is not None and restore_path is not None:
            # Before anything is noted: a start that is refused must not become what --resume goes on from.
            self._graph = with_restored_max_parallelism(restore, self._graph)
            check_restorable(restore, self._graph, self._options.allow_non_restored_state, str(restore_path))
            self._storage.adopt_segments(restore_path, restore)
        if self._options.from_savepoint is not None:
            _log.warning(
                "Starting from %s: output after that checkpoint that was already published will be published again.",
                restore_path,
            )
        lineage = record.lineages[-1]
        started = dict(record.max_parallelism_started)
        for uid, (parallelism, _) in self._shape.items():
            started[uid] = max(parallelism, started.get(uid, 0))
        if lineage.outcome != "running":
            record = record.with_newest(outcome="running")
        self._directory.save(replace(record, start=record.start + 1, max_parallelism_started=started))
        return self._start(self._directory.record.lineages[-1], restore, restore_path)

    def _start(
        self, lineage: Lineage, restore: CheckpointManifest | None, restore_path: Path | None, finished: bool = False
    ) -> Start:
        ids = self._storage.all_ids()
        return Start(
            directory=self._directory,
            storage=self._storage,
            lineage=lineage,
            restore=restore,
            restore_path=restore_path,
            # Only what the restored checkpoint lists: a lineage that the user left stays silent from then on.
            pending=[] if restore is None else restore.pending,
            committers={} if restore is None else restore.committers,
            next_checkpoint_id=max([*ids, self._record.last_checkpoint, 0]) + 1,
            owned=self._owned_by(lineage),
            graph=self._graph,
            finished=finished,
            continues=_continued(self._directory.record, None if restore is None else restore.lineage),
        )

    # --------------------------------------------------------------------------------------------- the choice

    def _choose(self) -> tuple[StoreRecord, CheckpointManifest | None, Path | None]:
        if self._options.from_savepoint is not None:
            return self._from_savepoint(self._options.from_savepoint)
        if self._newest is None:
            return self._record.with_lineage("first", None, self._shape), None, None
        if self._options.resume and self._newest.outcome == "discarded":
            _log.info("The job was cancelled and its checkpoints were deleted, as configured; it begins anew.")
            return self._new_lineage("fresh", None, rewound=True), None, None
        if self._options.resume:
            return self._resume(self._newest)
        self._refuse_or_tell(self._newest)
        return self._new_lineage("fresh", None, rewound=True), None, None

    def _from_savepoint(self, text: str) -> tuple[StoreRecord, CheckpointManifest, Path]:
        path = local_path(text).resolve()
        path = path.parent if path.name == "_metadata" else path
        manifest = self._storage.load(path)
        return self._new_lineage("savepoint", str(path), rewound=True), manifest, path

    def _resume(self, newest: Lineage) -> tuple[StoreRecord, CheckpointManifest | None, Path | None]:
        latest = self._latest_of(newest)
        path = None if latest is None else self._path_of(latest)
        restore = latest
        if restore is None and newest.base is not None:
            path = Path(newest.base)
            restore = self._storage.load(path)
        if restore is not None and path is not None:
            self._storage.load(path)  # every file is verified before anything starts
        if dict(newest.shape) != self._shape:
            _log.info("Parallelism or sinks have changed: a new lineage begins at the latest checkpoint.")
            # A rewind that has no checkpoint of its own yet is still one.
            rewound = newest.rewound and latest is None
            return self._new_lineage("reshaped", None if path is None else str(path), rewound), restore, path
        return self._record, restore, path

    def _new_lineage(self, kind: str, base: str | None, rewound: bool) -> StoreRecord:
        return replace(self._record.with_lineage(kind, base, self._shape, rewound), last_checkpoint=0)

    def _refuse_or_tell(self, newest: Lineage) -> None:
        if newest.outcome in ("finished", "discarded") or self._options.fresh:
            return
        latest = self._latest_of(newest)
        if latest is None:
            return
        path = self._path_of(latest)
        if self._options.has_configured_directory:
            raise RestoreRefusedError(
                f"{self._directory.path} holds an unfinished run of this job, up to {path.name}. "
                f"Go on from it with --resume, or begin anew with --fresh (its input is then read again)."
            )
        _log.warning("An earlier run of this job was left at %s; --resume would have gone on from it.", path)

    # ------------------------------------------------------------------------------------------ what is there

    def _latest_of(self, newest: Lineage) -> CheckpointManifest | None:
        """Return the newest lineage's latest checkpoint; one that must be there and is not ends the start.

        Not asked when the user chose otherwise (``-s``, ``--fresh``): those are the ways out of a damaged one.
        """
        latest: CheckpointManifest | None = None
        for checkpoint_id in reversed(self._storage.completed()):
            try:
                manifest = self._storage.load_metadata(self._storage.path_of(checkpoint_id))
            except Exception:
                if failpoints.ablated("rule7"):
                    continue
                raise
            if manifest.lineage == newest.lineage_id:
                latest = manifest
                break
        found = 0 if latest is None else latest.checkpoint_id
        if found < self._record.last_checkpoint and not failpoints.ablated("rule7"):
            raise RestoreRefusedError(
                f"Checkpoint {self._path_name(self._record.last_checkpoint)} of this job was completed, but it is not "
                f"there any more. {WAYS_OUT}"
            )
        return latest

    def _owned_by(self, lineage: Lineage) -> set[int]:
        """Return the checkpoints of a lineage; those of earlier ones are left to the user, who may want them again."""
        if self._newest is None or lineage.lineage_id != self._newest.lineage_id:
            return set()
        owned = set()
        for checkpoint_id in self._storage.completed():
            try:
                manifest = self._storage.load_metadata(self._storage.path_of(checkpoint_id))
            except CheckpointError:
                continue  # not to be deleted by us
            if manifest.lineage == lineage.lineage_id:
                owned.add(checkpoint_id)
        return owned

    def _path_of(self, manifest: CheckpointManifest) -> Path:
        return self._storage.path_of(manifest.checkpoint_id)

    def _path_name(self, checkpoint_id: int) -> str:
        return os.fspath(self._storage.path_of(checkpoint_id))

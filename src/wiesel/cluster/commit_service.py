"""Runs the committers of a job: all sinks side by side, the checkpoints of each in order, on I/O threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from wiesel.cluster.options import JobOptions
from wiesel.cluster.start import Start
from wiesel.core.contracts import Committable, Committer, CommitterContext, Json
from wiesel.core.errors import CheckpointError, RestoreRefusedError
from wiesel.core.host import host
from wiesel.core.operator_specs import SinkSpec
from wiesel.graph.job_graph import JobGraph


class CommitService:
    """The committers of one start.

    Args:
        graph: the job.
        options: how it is run.
        start: what it continues.
        stopping: whether the job was told to end at once.
    """

    def __init__(self, graph: JobGraph, options: JobOptions, start: Start, stopping: Callable[[], bool]) -> None:
        self._committers: dict[str, Committer] = {}
        self._failed: BaseException | None = None
        record, listed = start.directory.record, start.storage.listed_segments()
        for vertex, operator in graph.operators():
            if not isinstance(operator.spec, SinkSpec):
                continue
            context = CommitterContext(
                sink_uid=operator.uid,
                sink_name=operator.name,
                parallelism=vertex.parallelism,
                max_started_parallelism=record.max_parallelism_started[operator.uid],
                job_id=options.job_id,
                store=record.uuid,
                start=record.start,
                first_start_of_store=operator.uid not in record.claimed,
                lineage=start.lineage.lineage_id,
                rewound=start.lineage.rewound,
                read_start=start.directory.durable_start,
                mark_claimed=partial(start.directory.save_claimed, operator.uid),
                job_directory=start.directory.path,
                configuration=options.configuration,
                stopping=stopping,
                continues=start.continues,
                listed=listed,
            )
            committer = operator.spec.sink.create_committer(context)
            if committer is not None:
                self._committers[operator.uid] = committer
        self._pool = host().executor(max(1, len(self._committers)), "wiesel-committer")

    def recover(self, pending: Sequence[Committable], states: Mapping[str, Json]) -> Mapping[str, Json]:
        """Settle all sinks with earlier incarnations; returns what each has confirmed."""
        by_sink = _by_sink(pending)
        for uid in by_sink.keys() - self._committers.keys():
            raise RestoreRefusedError(
                f"Output that was decided for sink {uid!r} is not delivered yet, and this program has no such sink. "
                f"Stop the job with the script that has it first, so that nothing is lost."
            )
        self._each({u: partial(k.recover, by_sink.get(u, []), states.get(u)) for u, k in self._committers.items()})
        return self.snapshot()

    def commit(self, committables: Sequence[Committable]) -> Mapping[str, Json]:
        """Publish the committables of one checkpoint; returns what each sink has confirmed."""
        if self._failed is not None:
            raise self._failed  # nothing may be published behind what was not
        by_sink = _by_sink(committables)
        self._each({u: partial(k.commit, by_sink[u]) for u, k in self._committers.items() if u in by_sink})
        return self.snapshot()

    def _each(self, work: Mapping[str, Callable[[], None]]) -> None:
        futures = [self._pool.submit(call) for call in work.values()]
        errors = [future.exception() for future in futures]  # waits for all: none is left running behind an error
        for error in errors:
            if error is not None:
                self._failed = _told(error)
                raise self._failed

    def snapshot(self) -> Mapping[str, Json]:
        """Return what each committer has confirmed."""
        return {uid: committer.snapshot() for uid, committer in self._committers.items()}

    def close(self) -> None:
        """Release all clients."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for committer in self._committers.values():
            committer.close()


def _told(error: BaseException) -> BaseException:
    """Return the error of a committer as the user is to see it: a disk that refuses is nothing of his program's."""
    if not isinstance(error, OSError) or error.filename is None:
        return error
    failure = CheckpointError(
        f"Output could not be published: {error.strerror or error} ({error.filename}). Make room there and go on with "
        f"--resume: what was decided is kept."
    )
    failure.__cause__ = error
    return failure


def _by_sink(committables: Sequence[Committable]) -> dict[str, list[Committable]]:
    grouped: dict[str, list[Committable]] = {}
    for committable in committables:
        grouped.setdefault(committable.sink_uid, []).append(committable)
    return grouped

"""The contracts between the engine and what plugs into it: sources, sinks and state backends.

A *spec* (``Source``, ``Sink``) is inert data of the job graph; it can be pickled, and its clients are imported only
inside its ``create_*`` methods. Everything a ``create_*`` method returns lives in one process and one attempt.
Mirrors Flink's FLIP-27 sources and FLIP-143 sinks, with blocking calls only where a docstring says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from wiesel.core.clock import Clock as Clock  # noqa: PLC0414 - a contract like the others
from wiesel.core.configuration import Configuration

#: What JSON can hold; everything that goes into a checkpoint's metadata is made of it.
Json = Any

#: A bound operator: takes one value and its timestamp in milliseconds (``MIN_TIMESTAMP`` when absent).
Emit = Callable[[Any, int], None]


# ---------------------------------------------------------------------------------------------------- sources


@dataclass(frozen=True, slots=True)
class SourceSplit:
    """A part of a source that one reader reads, and how far it has come.

    Args:
        split_id: stable name, such as ``flights-3`` for a partition.
        position: where to go on, as JSON; what it means is the connector's business.
    """

    split_id: str
    position: Mapping[str, Json]


class SourceBatch:
    """Records of one split, in order, as the reader found them.

    Args:
        split_id: the split they come from.
        values: decoded values.
        timestamps: milliseconds, or ``MIN_TIMESTAMP`` where the source has none.
        locate: returns the place of record ``i`` for error messages, such as ``flights-3 offset 17``.
        side_outputs: values with timestamps for side outputs of the source, by tag; watermarks do not see them.
    """

    __slots__ = ("locate", "side_outputs", "split_id", "timestamps", "values")

    def __init__(
        self,
        split_id: str,
        values: list[Any],
        timestamps: list[int],
        locate: Callable[[int], str] | None = None,
        side_outputs: Mapping[str, Sequence[tuple[Any, int]]] | None = None,
    ) -> None:
        self.split_id = split_id
        self.values = values
        self.timestamps = timestamps
        self.locate = locate
        self.side_outputs = side_outputs


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a reader or an enumerator is given.

    Args:
        operator_uid: identity of the source operator in checkpoints.
        operator_name: its name for messages.
        subtask: index of the reader, -1 for the enumerator.
        parallelism: number of readers.
        configuration: the job's configuration.
        wake: call it, from any thread, when ``poll`` has something to return again.
    """

    operator_uid: str
    operator_name: str
    subtask: int
    parallelism: int
    configuration: Configuration
    wake: Callable[[], None]


class SourceReader(Protocol):
    """Reads the splits given to it. All methods are called on the task thread and none of them waits."""

    def add_splits(self, splits: Sequence[SourceSplit]) -> None:
        """Take over more splits."""

    def no_more_splits(self) -> None:
        """Learn that no further split will ever come."""

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return up to ``max_records`` records of one split that are there now, or None."""

    def is_finished(self) -> bool:
        """Whether every split is read to its end and no more can come."""

    def finished_splits(self) -> Sequence[str]:
        """Return the splits that ended since the last call; their watermarks no longer count."""

    def snapshot(self) -> Sequence[SourceSplit]:
        """Return all unfinished splits at their positions right behind the last polled record."""

    def notify_checkpoint_complete(self, splits: Sequence[SourceSplit]) -> None:
        """Learn that the checkpoint holding ``splits`` of this reader is complete (Kafka commits offsets here)."""

    def pause(self, split_ids: Iterable[str]) -> None:
        """Stop reading exactly these splits, and read all others again (watermark alignment)."""

    def metrics(self) -> Mapping[str, float]:
        """Return gauges by Flink's metric name, such as ``records-lag-max``; cheap."""

    def close(self) -> None:
        """Release clients and threads; may wait for a bounded time."""


class SplitEnumerator(Protocol):
    """Finds splits and says which reader owns them. Lives beside the JobMaster (Flink: ``SplitEnumerator``)."""

    #: Milliseconds between two discoveries; None when the first one finds everything.
    discovery_interval_ms: int | None

    def discover(self) -> Json:
        """Look for splits (runs on an I/O thread and may wait); the result goes to ``on_discovered``."""

    def on_discovered(self, result: Json) -> Sequence[SourceSplit]:
        """Return the splits of ``result`` that no reader has been given yet; they count as given from now on."""

    def owner(self, split_id: str) -> int:
        """Return the index of the reader that owns ``split_id`` at the current parallelism."""

    def snapshot(self) -> Json:
        """Return what must be remembered, as JSON: at least which splits were ever given out."""

    def close(self) -> None:
        """Release clients."""


class Source(Protocol):
    """A source's spec."""

    @property
    def bounded(self) -> bool:
        """Whether it ends by itself."""

    def preflight(self, configuration: Configuration) -> None:
        """Check, before the job starts, what can be known to be wrong (may connect; raises a typed error)."""

    def create_enumerator(self, context: SourceContext, state: Json | None) -> SplitEnumerator:
        """Return an enumerator, with the ``snapshot`` of a checkpoint when there is one."""

    def create_reader(self, context: SourceContext) -> SourceReader:
        """Return a reader without splits."""


# ------------------------------------------------------------------------------------------------------ sinks


@dataclass(frozen=True, slots=True)
class Committable:
    """Something a writer has made durable and a committer must publish exactly once.

    Args:
        sink_uid: identity of the sink operator.
        data: what it is, as JSON (a WAL segment, a finished file); it is kept in checkpoints until confirmed.
        path: the file it lives in, relative to the job directory, when there is one: part of the checkpoint, and
            deleted only after a later complete checkpoint no longer lists it.
    """

    sink_uid: str
    data: Mapping[str, Json]
    path: str | None = None


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a writer is given.

    Args:
        operator_uid: identity of the sink operator in checkpoints.
        operator_name: its name for messages.
        subtask: index of the writer.
        parallelism: number of writers.
        lineage: the unbroken history this job is in.
        attempt: number of this attempt within the process, from 0.
        job_directory: where files that belong to checkpoints live; None when checkpointing is off.
        configuration: the job's configuration.
        clock: time.
        fail: call it, from any thread, with an error that must fail the task (an asynchronous send that failed).
    """

    operator_uid: str
    operator_name: str
    subtask: int
    parallelism: int
    lineage: str
    attempt: int
    job_directory: Path | None
    configuration: Configuration
    clock: Clock
    fail: Callable[[BaseException], None]


class SinkWriter(Protocol):
    """Writes records of one subtask. Called on the task thread."""

    def write(self, value: Any, timestamp: int) -> None:
        """Accept one record. A record that can never be published is refused here, not later."""

    def is_available(self) -> bool:
        """Whether ``write`` would be accepted without waiting; False is back-pressure."""

    def flush(self) -> None:
        """Make everything written durable where it belongs (at-least-once); may wait."""

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Close what was written since the last barrier and return it; it is durable when this returns."""

    def snapshot(self) -> Json | None:
        """Return the writer's state, as JSON; called after ``prepare_commit``."""

    def records_written(self) -> int:
        """Return how many records ``write`` has taken (metric ``numRecordsOut``); cheap."""

    def close(self) -> None:
        """Release clients; what was not committed is dropped."""


@runtime_checkable
class CountsBytes(Protocol):
    """A ``SinkWriter`` that knows how many bytes it has taken without counting them by record."""

    def bytes_written(self) -> int:
        """Return them (metric ``numBytesOut``); they may be some seconds old."""


@runtime_checkable
class EndOfInputAware(Protocol):
    """A ``SinkWriter`` that does something else at the last checkpoint of a bounded job: files are completed then."""

    def end_input(self) -> None:
        """Learn that no record comes any more; ``flush`` and ``prepare_commit`` follow."""


@runtime_checkable
class IdleAware(Protocol):
    """A ``SinkWriter`` that collects records for a while before it sends them, and need not when nothing else comes."""

    def on_idle(self) -> None:
        """Learn, after a step of the task without work, that it is idle; never waits."""


class Committer(Protocol):
    """Publishes committables in order, exactly once, whatever died in between.

    One a sink and job. Both methods that publish run on an I/O thread, may wait, and either succeed or raise.
    """

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """First call of every start: settle with earlier incarnations, then publish all of ``pending``.

        Args:
            pending: committables of the restored checkpoint that it does not list as confirmed, in order.
            state: ``snapshot`` of that checkpoint.

        Raises:
            FencedError, ProgressLostError: somebody else owns the sink, or history was rolled back; never retried.
        """

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish the committables of a complete checkpoint, in order; when it returns they are confirmed."""

    def snapshot(self) -> Json:
        """Return what the next checkpoint must know of confirmed work, as JSON; cheap, called on any thread."""

    def close(self) -> None:
        """Release clients."""


@dataclass(frozen=True, slots=True)
class CommitterContext:
    """What a committer is given.

    Args:
        sink_uid: identity of the sink operator.
        sink_name: its name for messages.
        parallelism: writers of this start.
        max_started_parallelism: the most writers that any start of this job ever had.
        job_id: the job's id.
        store: uuid of the job directory.
        start: the durable number of this start.
        first_start_of_store: no start of this store has ever claimed this sink.
        lineage: the unbroken history this start continues or begins.
        rewound: this lineage began by the user's choice of an older checkpoint.
        read_start: returns the start number that is durable now, which differs from ``start`` once we are a zombie.
        mark_claimed: makes durable that this store has claimed this sink.
        job_directory: where the committables' paths start.
        configuration: the job's configuration.
        stopping: whether the job was told to stop at once; a committer that waits must look at it.
        continues: lineages without a checkpoint of their own that this one goes on from with other parallelism or
            sinks: nothing of them may be published.
        listed: paths of committables that checkpoints in the job directory list, of other lineages too: the user may
            want one of those again.
    """

    sink_uid: str
    sink_name: str
    parallelism: int
    max_started_parallelism: int
    job_id: str
    store: str
    start: int
    first_start_of_store: bool
    lineage: str
    rewound: bool
    read_start: Callable[[], int]
    mark_claimed: Callable[[], None]
    job_directory: Path
    configuration: Configuration
    stopping: Callable[[], bool]
    continues: Set[str] = frozenset()
    listed: Set[str] = frozenset()


class Sink(Protocol):
    """A sink's spec."""

    @property
    def transactional(self) -> bool:
        """Whether its output is published by a committer, so that it needs checkpoints."""

    @property
    def identity(self) -> str | None:
        """What must not change within a lineage (a transactional id prefix); None when nothing."""

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Check, before the job starts, what can be known to be wrong (may connect; raises a typed error)."""

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> SinkWriter:
        """Return a writer; ``state`` holds the snapshots of the writers it follows."""

    def create_committer(self, context: CommitterContext) -> Committer | None:
        """Return the committer, or None for a sink that has nothing to commit."""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What a preflight may ask about the whole job.

    Args:
        checkpointing_enabled: whether checkpoints are taken.
        checkpoint_interval_ms: their interval, -1 when off.
        bounded: whether all sources end by themselves.
        sinks: all sinks of the job, by operator uid (duplicate prefixes are found here).
    """

    checkpointing_enabled: bool
    checkpoint_interval_ms: int
    bounded: bool
    sinks: Mapping[str, Any] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------- keyed state


class InternalState(Protocol):
    """State of the current key in the namespace given with each call; a namespace is hashable (a window)."""

    def get(self, namespace: Any) -> Any:
        """Return the value, or None."""

    def put(self, namespace: Any, value: Any) -> None:
        """Set the value."""

    def remove(self, namespace: Any) -> None:
        """Remove the value."""


class Timers(Protocol):
    """Timers of one operator by key and namespace, in both time domains."""

    def register_event_time(self, namespace: Any, timestamp: int) -> None:
        """Register for the current key; registering twice is once."""

    def delete_event_time(self, namespace: Any, timestamp: int) -> None:
        """Forget the timer of the current key."""

    def register_processing_time(self, namespace: Any, timestamp: int) -> None:
        """Register for the current key; registering twice is once."""

    def delete_processing_time(self, namespace: Any, timestamp: int) -> None:
        """Forget the timer of the current key."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in a checkpoint's directory: its name there, size in bytes, SHA-256 of its content."""

    name: str
    size: int
    sha256: str


#: Keeps a file in the checkpoint: its name in the backend, where it is, and what is known of it if an earlier
#: checkpoint has kept the same one.
KeepFile = Callable[[str, Path, KeptFile | None], KeptFile]


class StateSnapshot(Protocol):
    """A snapshot under way: the barrier has passed, and what was true at it is written out in slices."""

    def slices(self) -> Iterator[bytes]:
        """Yield the snapshot piece by piece; each step takes about two milliseconds of the task thread."""

    def files(self, keep: KeepFile) -> Sequence[KeptFile]:
        """Have files kept as they are, beside the pieces and after them; runs on an I/O thread."""

    def release(self) -> None:
        """Called on the task thread when it is written or given up."""


class KeyedStateBackend(Protocol):
    """State of one keyed operator in one subtask."""

    def set_current_key(self, key: Any) -> None:
        """Choose the key that all states and timers of this backend work on."""

    def current_key(self) -> Any:
        """Return the key as the user gave it."""

    def bind_keyed(self, process: Emit) -> Callable[[list[Any], list[int], list[Any]], None]:
        """Return a loop over ``values, timestamps, keys`` that sets each key and calls ``process``.

        The loop lives here because this way a key change costs two assignments and no call.
        """

    def state(self, descriptor: Any, namespace: Callable[[], Any] | None = None) -> Any:
        """Return the user-facing state of ``descriptor`` (value, list, map, reducing or aggregating state).

        Args:
            descriptor: a ``StateDescriptor``.
            namespace: tells the current namespace (window state); None for state of the key alone.
        """

    def internal_state(self, name: str, *, immutable: bool = False, kind: str = "") -> InternalState:
        """Return an engine-owned state (window contents).

        Args:
            name: unique within the operator; must not begin with a user's state name (use ``_window-contents``).
            immutable: values are never changed in place.
            kind: what the values are; restored ones of another kind are refused.
        """

    def unclaimed(self) -> Sequence[str]:
        """Return the names of restored states that nobody has asked for yet; they are kept."""

    def timers(self) -> Timers:
        """Return the operator's timers."""

    def next_event_time(self) -> int | None:
        """Return the earliest event-time timer, None when there is none (a window that is open has one)."""

    def next_processing_time(self) -> int | None:
        """Return when the earliest processing-time timer is due, in milliseconds."""

    def pop_event_timers(self, watermark: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """Remove and return up to ``limit`` due timers of the earliest time, as (timestamp, key, namespace).

        Of one time only, because a timer that fires may register another that is due before the next.
        """

    def pop_processing_timers(self, now_ms: int, limit: int) -> Sequence[tuple[int, Any, Any]]:
        """The same for processing time."""

    def snapshot(self) -> StateSnapshot:
        """Begin a snapshot; takes well under a millisecond."""

    def restore(
        self, pieces: Iterable[bytes], key_groups: range | None, files: Mapping[str, Path] | None = None
    ) -> None:
        """Load one snapshot, keeping only keys in ``key_groups`` (None: all, parallelism unchanged).

        Args:
            pieces: its slices.
            key_groups: of this subtask.
            files: its files, by their names in the backend; they are not to be changed.
        """

    def number_of_keys(self) -> int:
        """Return how many state entries there are, for metrics."""

    def close(self) -> None:
        """Release everything."""

"""The writer of EXACTLY_ONCE: records go into write-ahead log segments, Kafka hears nothing before the checkpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from wiesel.connectors.kafka.admission import Admission, TopicLimits
from wiesel.connectors.kafka.encoding import Encode, refused
from wiesel.connectors.kafka.naming import is_topic_name, wal_directory
from wiesel.connectors.kafka.wal import SegmentFile
from wiesel.connectors.kafka.whole_records import EncodeWhole, size_of
from wiesel.core.contracts import Committable, Json, SinkContext
from wiesel.core.disk import Disk
from wiesel.core.errors import CheckpointError, RecordError

#: Buffered records are encoded when they have so many bytes, each counted with so many more.
_BLOCK_BYTES: Final = 128 << 10
_RECORD_BYTES: Final = 64
#: A segment is published by one transaction, which must end well inside its timeout.
SEGMENT_BYTES: Final = 16 << 20

#: Of a topic, what each record asks for: the buffer's append, the largest record, the oldest timestamp.
_Slot = tuple[Callable[[Any], None], int, int]


class WalWriter:
    """Numbers and writes the segments of one subtask.

    Args:
        tid: the subtask's transactional id.
        encode: makes records of values; None when ``encode_whole`` does.
        admission: knows what topics take.
        context: the job directory, the lineage, the clock.
        state: snapshots of the writers that it follows.
        disk: where files live.
        owner: names this process in files' names: what an earlier attempt of its own left behind is swept.
        new_name: returns a new random text for each file's name.
        partition: where all records go, -1 to leave it to the partitioner.
        writes_timestamps: whether records carry the event time; else the time of writing.
        segment_bytes: size at which a segment is closed before its barrier.
        encode_whole: makes records with headers, timestamps and partitions of their own.
    """

    #: Accepts one value with its timestamp in milliseconds.
    write: Callable[[Any, int], None]
    #: Returns the bytes of keys, values and headers that ``write`` has taken.
    bytes_written: Callable[[], int]

    def __init__(
        self,
        tid: str,
        encode: Encode | None,
        admission: Admission,
        context: SinkContext,
        state: Sequence[Json],
        disk: Disk,
        owner: str,
        new_name: Callable[[], str],
        *,
        partition: int = -1,
        writes_timestamps: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
        encode_whole: EncodeWhole | None = None,
    ) -> None:
        if context.job_directory is None:
            raise ValueError("exactly-once needs a job directory")
        self._tid = tid
        self._admission = admission
        self._context = context
        self._disk = disk
        self._owner = owner
        self._new_name = new_name
        self._partition = partition
        self._segment_bytes = segment_bytes
        self._job_directory: Path = context.job_directory
        self._folder = wal_directory(context.operator_uid)
        own = (entry["seq"] for entry in state if (entry["tid"], entry["lineage"]) == (tid, context.lineage))
        self._seq = max(own, default=0)
        self._file: SegmentFile | None = None
        self._path = ""
        self._closed: list[Committable] = []
        self._blocks: dict[str, list[Any]] = {}
        self._limits: dict[str, TopicLimits] = {}
        self._slots: dict[str, _Slot] = {}
        self._flushed = 0
        self._version = 1 if encode_whole is None else 2
        if encode_whole is not None:
            self.write = self._bind_whole(encode_whole, writes_timestamps)
        elif encode is not None:
            self.write = self._bind(encode, writes_timestamps)
        else:
            raise ValueError("a writer needs encode or encode_whole")
        self._sweep_undecided()

    def _sweep_undecided(self) -> None:
        """Remove what an earlier attempt of this process wrote behind the checkpoint that this one goes on from.

        Only of this process: a zombie that restarts its tasks must not touch the files of the job's newer start.
        """
        folder = self._job_directory / self._folder
        own = re.compile(rf"{self._context.subtask}-{re.escape(self._context.lineage)}-(\d+)-{self._owner}-.*\.wal")
        for name in self._disk.list(folder):
            match = own.fullmatch(name)
            if match is not None and int(match[1]) > self._seq:
                self._disk.remove(folder / name)

    def _bind(self, encode: Encode, writes_timestamps: bool) -> Callable[[Any, int], None]:
        context, clock, slots = self._context, self._context.clock, self._slots
        now = clock.now_ms()
        buffered = counted = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal now, buffered, counted
            try:
                topic, key, data = encode(value)
                size = (0 if data is None else len(data)) + (0 if key is None else len(key))
            except Exception as error:
                raise refused(error, context.operator_name, value) from error
            append, max_bytes, before_ms = slots.get(topic) or self._open_topic(topic)
            if size > max_bytes:
                raise self._limits[topic].refuse_size(size)
            if timestamp <= 0 or not writes_timestamps:
                timestamp = clock.now_ms()
            elif not 0 <= now - timestamp <= before_ms:
                # Rare: ahead of a clock that was read some records ago, or really out of bounds.
                self._limits[topic].check_timestamp(timestamp, clock)
            append((key, data, timestamp))
            buffered += size + _RECORD_BYTES
            if buffered >= _BLOCK_BYTES:
                counted += buffered
                buffered, now = 0, clock.now_ms()
                self.flush()

        self.bytes_written = lambda: counted + buffered - _RECORD_BYTES * self.records_written()
        return write

    def _bind_whole(self, encode: EncodeWhole, writes_timestamps: bool) -> Callable[[Any, int], None]:
        context, clock, slots = self._context, self._context.clock, self._slots
        buffered = counted = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal buffered, counted
            try:
                record = encode(value, timestamp if writes_timestamps else 0)
            except Exception as error:
                raise refused(error, context.operator_name, value) from error
            if record is None:
                return
            append, max_bytes, _ = slots.get(record.topic) or self._open_topic(record.topic)
            size = size_of(record)
            if size > max_bytes:
                raise self._limits[record.topic].refuse_size(size)
            if record.timestamp is None:
                written_at = clock.now_ms()
            else:
                written_at = record.timestamp
                self._limits[record.topic].check_timestamp(written_at, clock)
            partition = -1 if record.partition is None else record.partition
            append((record.key, record.value, written_at, record.headers, partition))
            buffered += size + _RECORD_BYTES
            if buffered >= _BLOCK_BYTES:
                counted += buffered
                buffered = 0
                self.flush()

        self.bytes_written = lambda: counted + buffered - _RECORD_BYTES * self.records_written()
        return write

    def _open_topic(self, topic: str) -> _Slot:
        if type(topic) is not str or not is_topic_name(topic):
            raise RecordError(f"{self._context.operator_name}: the topic selector returned {topic!r}, which is no name")
        limits = self._limits[topic] = self._admission.limits_of(topic)
        block = self._blocks[topic] = []
        append = _keyed_only(block, limits) if limits.requires_keys else block.append
        slot = self._slots[topic] = (append, limits.max_bytes, limits.before_ms)
        return slot

    def _flush_block(self, topic: str) -> None:
        """Encode the buffered records of a topic into the open segment; close it when it is large enough."""
        records = self._blocks[topic]
        if not records:
            return
        try:
            if self._file is None:
                self._file = self._open_segment()
            self._file.append((topic, self._partition, records))
        except OSError as error:
            raise self._unwritable(error) from error
        self._flushed += len(records)
        records.clear()
        if self._file.size >= self._segment_bytes:
            self._close_segment(0)

    def _open_segment(self) -> SegmentFile:
        self._disk.make_directory(self._job_directory / self._folder)
        number = f"{self._context.subtask}-{self._context.lineage}-{self._seq + 1}"
        name = f"{number}-{self._owner}-{self._new_name()}.wal"
        self._path = f"{self._folder}/{name}"
        return SegmentFile(self._disk, self._job_directory / self._path, self._version)

    def _close_segment(self, checkpoint_id: int) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            segment = file.finish(self._tid, self._context.lineage, self._seq + 1, checkpoint_id, self._path)
        except OSError as error:
            # After a failed fsync nobody knows what is on disk: the file is not looked at again.
            raise self._unwritable(error) from error
        self._seq += 1
        self._closed.append(Committable(self._context.operator_uid, segment.to_json(), segment.path))

    def _unwritable(self, error: OSError) -> CheckpointError:
        return CheckpointError(
            f"{self._context.operator_name} cannot write its log {self._job_directory / self._folder}: "
            f"{error.strerror or error}. Make room there, or set execution.checkpointing.dir to another place."
        )

    def records_written(self) -> int:
        """Return how many records ``write`` has taken."""
        return self._flushed + sum(map(len, self._blocks.values()))

    def is_available(self) -> bool:
        """Always: the log takes what comes."""
        return True

    def flush(self) -> None:
        """Hand all buffered records to the log; they are durable with the next checkpoint."""
        for topic in self._blocks:
            self._flush_block(topic)

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Close the open segment and return all that were closed since the last barrier, durable by content and name.

        Without records there is no segment: an empty checkpoint begins no transaction.
        """
        self.flush()
        self._close_segment(checkpoint_id)
        closed, self._closed = self._closed, []
        if not closed:
            return ()
        try:
            self._disk.sync_directory(self._job_directory / self._folder)
        except OSError as error:
            raise self._unwritable(error) from error
        return [_decided_by(committable, checkpoint_id) for committable in closed]

    def snapshot(self) -> Json:
        """Return the number of the last segment, so that numbers go on without gaps."""
        return {"tid": self._tid, "lineage": self._context.lineage, "seq": self._seq}

    def close(self) -> None:
        """Remove the open segment; closed ones that no checkpoint lists are swept by the next writer."""
        if self._file is not None:
            self._file.discard()
            self._file = None


def _keyed_only(block: list[Any], limits: TopicLimits) -> Callable[[Any], None]:
    """Return the append of a compacted topic's buffer; other topics' records need not be looked at."""

    def append(record: Any) -> None:
        if record[0] is None:
            raise limits.refuse_missing_key()
        block.append(record)

    return append


def _decided_by(committable: Committable, checkpoint_id: int) -> Committable:
    """Segments that were full before the barrier learn the number of the checkpoint that decides them."""
    return Committable(committable.sink_uid, {**committable.data, "checkpoint_id": checkpoint_id}, committable.path)

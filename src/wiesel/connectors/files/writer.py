"""The writer of the file sink (Flink: ``FileWriter`` and its ``FileWriterBucket``)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wiesel.connectors.files.buckets import BucketAssigner
from wiesel.connectors.files.output_file_config import OutputFileConfig
from wiesel.connectors.files.part_file import OpenWriter, PartFile, PendingFile
from wiesel.connectors.files.rolling import RollingPolicy
from wiesel.core.contracts import Committable, Json, SinkContext
from wiesel.core.disk import OsDisk
from wiesel.core.errors import RecordError


@dataclass(frozen=True, slots=True)
class FileWriterOptions:
    """What a writer needs to know.

    Args:
        base_path: the folder that buckets lie in.
        bucket_assigner: chooses a record's bucket.
        rolling_policy: when files are complete.
        bucket_check_interval_ms: how often the age of files is looked at.
        file_config: how files are called.
        resumable: whether a file can be gone on with behind a checkpoint (row formats).
    """

    base_path: Path
    bucket_assigner: BucketAssigner
    rolling_policy: RollingPolicy
    bucket_check_interval_ms: int
    file_config: OutputFileConfig
    resumable: bool


class FileWriter:
    """Writes the part files of one subtask; at most one is in progress for each bucket.

    Args:
        options: where and how.
        open_writer: starts a file's content.
        context: subtask and clock.
        state: snapshots of the writers that it follows; parts in progress are gone on with.
    """

    #: Writes one record, with its timestamp in milliseconds, to its bucket's file.
    write: Callable[[Any, int], None]
    #: Returns how many records were written.
    records_written: Callable[[], int]

    def __init__(
        self, options: FileWriterOptions, open_writer: OpenWriter, context: SinkContext, state: Sequence[Json]
    ) -> None:
        self._options = options
        self._policy = options.rolling_policy
        self._open_writer = open_writer
        self._context = context
        self._now_ms = context.clock.now_ms
        self._parts: dict[str, PartFile] = {}
        # A new name for each bucket and attempt, so that no two attempts ever want the same file.
        self._names: dict[str, tuple[str, int]] = {}
        self._completed: list[PendingFile] = []
        self._input_ended = False
        self._next_check = self._now_ms() + options.bucket_check_interval_ms
        self._parts_state: list[Json] = []
        for entry in state:
            # The engine may show one writer's state to several of another parallelism: exactly one may go on with it.
            if entry["subtask"] % context.parallelism == context.subtask:
                self._resume(entry["parts"])
        self.write = self._bind_write()

    def _resume(self, parts: Sequence[Json]) -> None:
        for state in parts:
            part = PartFile.resume(state, self._open_writer)
            if part is None:
                continue
            if state["bucket"] in self._parts:
                self._completed.append(part.complete())  # two writers became one, which needs only one file
            else:
                self._parts[state["bucket"]] = part

    def _bind_write(self) -> Callable[[Any, int], None]:
        """Return ``write`` with what it needs at hand: it is called for every record."""
        now_ms, part_of = self._now_ms, self._parts.get
        bucket_of, rolls = self._options.bucket_assigner.get_bucket_id, self._policy.rolls_on_event
        count = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal count
            now = now_ms()
            if now >= self._next_check:
                self._complete_by_age(now)
            bucket = bucket_of(value, timestamp, now)
            part = part_of(bucket)
            if part is None or rolls(part.stream.count):
                part = self._next_part(bucket, now)
            part.write(value)
            part.updated_ms = now
            count += 1

        self.records_written = lambda: count
        return write

    def _next_part(self, bucket: str, now: int) -> PartFile:
        if bucket in self._parts:
            self._complete(bucket)
        folder = self._options.base_path
        if bucket:
            folder = folder / bucket
            if ".." in Path(bucket).parts or not folder.is_relative_to(self._options.base_path):
                raise RecordError(f"{self._context.operator_name}: bucket {bucket!r} lies outside the base path.")
        writer, number = self._names.get(bucket, ("", 0))
        writer = writer or str(uuid.uuid4())
        self._names[bucket] = (writer, number + 1)
        config = self._options.file_config
        name = f"{config.get_part_prefix()}-{writer}-{number}{config.get_part_suffix()}"
        part = self._parts[bucket] = PartFile.create(folder, name, uuid.uuid4().hex, self._open_writer, now)
        return part

    def _complete(self, bucket: str) -> None:
        self._completed.append(self._parts.pop(bucket).complete())

    def _complete_by_age(self, now: int) -> None:
        self._next_check = now + self._options.bucket_check_interval_ms
        for bucket, part in list(self._parts.items()):
            if self._policy.rolls_on_time(now - part.created_ms, now - part.updated_ms):
                self._complete(bucket)

    def is_available(self) -> bool:
        """Always: files take what comes."""
        return True

    def flush(self) -> None:
        """Hand everything written to the operating system; it is durable with the next checkpoint."""
        for part in self._parts.values():
            part.flush()

    def end_input(self) -> None:
        """Learn that no record comes any more: the next checkpoint completes all files."""
        self._input_ended = True

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Complete the files whose time has come and return all that were completed since the last barrier."""
        now = self._now_ms()
        if now >= self._next_check:
            self._complete_by_age(now)
        for bucket, part in list(self._parts.items()):
            if self._input_ended or not self._options.resumable or self._policy.rolls_on_checkpoint(part.stream.count):
                self._complete(bucket)
        self._parts_state = [{"bucket": bucket, **part.persist()} for bucket, part in self._parts.items()]
        completed, self._completed = self._completed, []
        # The hidden names too must outlive a power cut, or the checkpoint would list files that are not there.
        folders = {file.folder for file in completed} | {str(part.folder) for part in self._parts.values()}
        for folder in folders:
            OsDisk().sync_directory(Path(folder))
        decided = (replace(file, checkpoint_id=checkpoint_id) for file in completed)
        return [Committable(self._context.operator_uid, file.to_json()) for file in decided]

    def snapshot(self) -> Json:
        """Return the files in progress, to go on with behind what is durable of them."""
        return {"subtask": self._context.subtask, "parts": self._parts_state}

    def close(self) -> None:
        """Close all files; those that a checkpoint knows stay where they are."""
        for part in self._parts.values():
            part.abandon()
        self._parts.clear()

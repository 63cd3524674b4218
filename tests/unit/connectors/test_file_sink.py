"""The file sink: what becomes visible when, and what a crash leaves behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.files import finished, hidden, sink_context
from wiesel.common import Duration, Types, WatermarkStrategy
from wiesel.common.serialization import Encoder
from wiesel.core.errors import CheckpointCorruptError, ConfigurationError, UnsupportedError
from wiesel.core.serialization import BulkWriter, BulkWriterFactory
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import (
    BucketAssigner,
    FileCompactor,
    FileCompactStrategy,
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
    StreamFormat,
    StreamingFileSink,
)
from wiesel.testing.clock import ManualClock

BASE = BucketAssigner.base_path_bucket_assigner()


def row_sink(path: Path, policy: Any = None, **options: Any) -> Any:
    builder = FileSink.for_row_format(str(path), Encoder.simple_string_encoder())
    builder = builder.with_bucket_assigner(options.get("assigner", BASE))
    return builder.with_rolling_policy(policy or RollingPolicy.default_rolling_policy())


def spec(builder: Any) -> Any:
    return builder.build().spec_for(Types.STRING())


_runs: list[Run] = []


@pytest.fixture(autouse=True)
def close_writers():
    yield
    while _runs:
        _runs.pop().writer.close()


class Run:
    """A writer and a committer, driven as the engine drives them."""

    def __init__(self, spec: Any, clock: ManualClock, state: Any = (), subtask: int = 0, parallelism: int = 1) -> None:
        self.writer = spec.create_writer(sink_context(clock, subtask, parallelism), list(state))
        self.committer = spec.create_committer(None)
        self.id = 0
        _runs.append(self)

    def write(self, *values: str) -> None:
        for value in values:
            self.writer.write(value, 0)

    def barrier(self) -> tuple[Any, Any]:
        self.id += 1
        self.writer.flush()
        return self.writer.prepare_commit(self.id), self.writer.snapshot()

    def checkpoint(self) -> Any:
        pending, state = self.barrier()
        self.committer.commit(pending)
        return state

    def end(self) -> None:
        self.writer.end_input()
        self.checkpoint()


def test_nothing_is_visible_before_the_commit_and_all_of_it_after(tmp_path):
    run = Run(spec(row_sink(tmp_path, RollingPolicy.on_checkpoint_rolling_policy())), ManualClock())
    run.write("a", "b")
    pending, _ = run.barrier()
    assert finished(tmp_path) == {}
    assert len(hidden(tmp_path)) == 1
    run.committer.commit(pending)
    assert list(finished(tmp_path).values()) == ["a\nb\n"]
    assert hidden(tmp_path) == []


def test_default_policy_keeps_a_young_small_file_in_progress_over_checkpoints(tmp_path):
    clock = ManualClock()
    run = Run(spec(row_sink(tmp_path)), clock)
    run.write("a")
    run.checkpoint()
    assert finished(tmp_path) == {}
    clock.advance(60_000)
    run.write("b")  # the minute is over: the old file is complete, and b begins another
    run.checkpoint()
    assert list(finished(tmp_path).values()) == ["a\n"]
    run.end()
    assert sorted(finished(tmp_path).values()) == ["a\n", "b\n"]


def test_file_without_records_for_the_inactivity_interval_is_completed(tmp_path):
    clock = ManualClock()
    policy = RollingPolicy.default_rolling_policy(rollover_interval=10_000_000, inactivity_interval=5_000)
    run = Run(spec(row_sink(tmp_path, policy).with_bucket_check_interval(1_000)), clock)
    run.write("a")
    clock.advance(4_000)
    run.checkpoint()
    assert finished(tmp_path) == {}
    clock.advance(1_000)
    run.checkpoint()
    assert list(finished(tmp_path).values()) == ["a\n"]


def test_file_is_completed_once_it_is_larger_than_the_part_size(tmp_path):
    run = Run(spec(row_sink(tmp_path, RollingPolicy.default_rolling_policy(part_size=3))), ManualClock())
    run.write("aa", "b", "c")
    run.checkpoint()
    assert list(finished(tmp_path).values()) == ["aa\nb\n"]


def test_names_are_prefix_writer_number_suffix(tmp_path):
    config = OutputFileConfig.builder().with_part_prefix("lines").with_part_suffix(".txt").build()
    assert (config.get_part_prefix(), config.get_part_suffix()) == ("lines", ".txt")
    policy = RollingPolicy.on_checkpoint_rolling_policy()
    run = Run(spec(row_sink(tmp_path, policy).with_output_file_config(config)), ManualClock())
    for text in "ab":
        run.write(text)
        run.checkpoint()
    first, second = finished(tmp_path)
    assert first.startswith("lines-") and first.endswith("-0.txt")
    assert second == first.replace("-0.txt", "-1.txt")


def test_prefix_that_would_hide_finished_files_is_refused():
    with pytest.raises(ConfigurationError, match="hidden"):
        OutputFileConfig(".part", "")


def test_date_time_buckets_follow_the_clock_in_their_zone(tmp_path):
    clock = ManualClock(1_709_207_100_000)  # 2024-02-29T11:45:00Z
    utc = BucketAssigner.date_time_bucket_assigner(timezone_id="UTC")
    run = Run(spec(row_sink(tmp_path, assigner=utc)), clock)
    run.write("a")
    clock.advance(3_600_000)
    run.write("b")
    run.end()
    assert [name.partition("/")[0] for name in finished(tmp_path)] == ["2024-02-29--11", "2024-02-29--12"]
    tokyo = BucketAssigner.date_time_bucket_assigner("yy/M/d 'at' HH.mm", "Asia/Tokyo")
    assert tokyo.get_bucket_id(None, 0, 1_709_207_100_000) == "24/2/29 at 20.45"


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [("EEEE", None, "'EEEE'"), ("'open", None, "quote"), ("yyyy", "Mars/Base", "time zone")],
)
def test_wrong_bucket_pattern_fails_in_the_script(pattern, zone, text):
    with pytest.raises(ConfigurationError, match=text):
        BucketAssigner.date_time_bucket_assigner(pattern, zone)


class ByFirstLetter(BucketAssigner):
    def get_bucket_id(self, value: Any, timestamp: int, now_ms: int) -> str:
        return str(value[0])


def test_bucket_assigner_of_ones_own(tmp_path):
    run = Run(spec(row_sink(tmp_path, assigner=ByFirstLetter())), ManualClock())
    run.write("apple", "bean", "avocado")
    run.end()
    assert {n.partition("/")[0]: t for n, t in finished(tmp_path).items()} == {"a": "apple\navocado\n", "b": "bean\n"}


def test_bucket_outside_the_base_path_is_refused(tmp_path):
    run = Run(spec(row_sink(tmp_path / "base", assigner=ByFirstLetter())), ManualClock())
    with pytest.raises(Exception, match="outside the base path"):
        run.write("/etc")


# ------------------------------------------------------------------------------------------------- crashes


def test_restored_writer_cuts_off_what_the_checkpoint_does_not_know_and_goes_on(tmp_path):
    first = Run(spec(row_sink(tmp_path)), ManualClock())
    first.write("a")
    state = first.checkpoint()
    first.write("lost")
    first.writer.flush()
    # No close(): the process died here.
    second = Run(spec(row_sink(tmp_path)), ManualClock(), [state])
    second.write("b")
    second.end()
    assert list(finished(tmp_path).values()) == ["a\nb\n"]


def test_files_of_a_dead_attempt_without_checkpoint_stay_hidden(tmp_path):
    dead = Run(spec(row_sink(tmp_path)), ManualClock())
    dead.write("dead")
    dead.writer.flush()
    alive = Run(spec(row_sink(tmp_path)), ManualClock())
    alive.write("alive")
    alive.end()
    assert list(finished(tmp_path).values()) == ["alive\n"]
    assert len(hidden(tmp_path)) == 1


def test_closed_writer_removes_what_no_checkpoint_knows(tmp_path):
    run = Run(spec(row_sink(tmp_path)), ManualClock())
    run.write("a")
    run.writer.close()
    assert hidden(tmp_path) == []


def test_recovery_finishes_pending_files_once_however_often_it_runs(tmp_path):
    run = Run(spec(row_sink(tmp_path, RollingPolicy.on_checkpoint_rolling_policy())), ManualClock())
    run.write("a")
    pending, _ = run.barrier()
    for _ in range(2):
        spec(row_sink(tmp_path)).create_committer(None).recover(pending, {})
        assert list(finished(tmp_path).values()) == ["a\n"]


def test_pending_file_that_something_else_wrote_to_is_not_published(tmp_path):
    run = Run(spec(row_sink(tmp_path, RollingPolicy.on_checkpoint_rolling_policy())), ManualClock())
    run.write("a")
    pending, _ = run.barrier()
    with hidden(tmp_path)[0].open("a") as file:
        file.write("more")
    with pytest.raises(CheckpointCorruptError, match="6 bytes where its checkpoint says 2"):
        run.committer.commit(pending)
    assert finished(tmp_path) == {}


def test_pending_file_that_vanished_fails_the_commit_but_not_a_recovery(tmp_path, caplog):
    run = Run(spec(row_sink(tmp_path, RollingPolicy.on_checkpoint_rolling_policy())), ManualClock())
    run.write("a")
    pending, _ = run.barrier()
    hidden(tmp_path)[0].unlink()
    with pytest.raises(CheckpointCorruptError, match="gone"):
        run.committer.commit(pending)
    run.committer.recover(pending, {})
    assert "finished earlier" in caplog.text


def test_file_in_progress_that_got_shorter_than_its_checkpoint_is_refused(tmp_path):
    run = Run(spec(row_sink(tmp_path)), ManualClock())
    run.write("abc")
    state = run.checkpoint()
    os.truncate(hidden(tmp_path)[0], 1)
    with pytest.raises(CheckpointCorruptError, match="only 1"):
        Run(spec(row_sink(tmp_path)), ManualClock(), [state])


def test_older_checkpoint_whose_file_was_finished_since_begins_a_new_file(tmp_path):
    run = Run(spec(row_sink(tmp_path)), ManualClock())
    run.write("a")
    state = run.checkpoint()
    run.write("b")
    run.end()
    again = Run(spec(row_sink(tmp_path)), ManualClock(), [state])
    again.write("b")
    again.end()
    assert sorted(finished(tmp_path).values()) == ["a\nb\n", "b\n"]


def test_two_writers_states_become_one_writer_and_one_state_is_never_taken_twice(tmp_path):
    states = []
    for subtask in range(2):
        run = Run(spec(row_sink(tmp_path)), ManualClock(), subtask=subtask, parallelism=2)
        run.write(str(subtask))
        states.append(run.checkpoint())
    merged = Run(spec(row_sink(tmp_path)), ManualClock(), states)
    stranger = Run(spec(row_sink(tmp_path)), ManualClock(), states[:1], subtask=1, parallelism=3)
    merged.end()
    stranger.end()
    assert sorted(finished(tmp_path).values()) == ["0\n", "1\n"]


# ----------------------------------------------------------------------------------------------- compaction


def compacting(path: Path, compactor: FileCompactor, **strategy: int) -> Any:
    builder = FileCompactStrategy.builder().set_num_compact_threads(2)
    if "size" in strategy:
        builder = builder.set_size_threshold(strategy["size"])
    else:
        builder = builder.enable_compaction_on_checkpoint(1)
    policy = RollingPolicy.default_rolling_policy(part_size=1)
    return spec(row_sink(path, policy).enable_compact(builder.build(), compactor))


def test_small_files_of_a_checkpoint_appear_as_one(tmp_path):
    run = Run(compacting(tmp_path, FileCompactor.concat_file_compactor(b"--\n")), ManualClock())
    run.write("a", "b", "c")
    run.checkpoint()
    assert list(finished(tmp_path).values()) == ["a\n--\nb\n--\nc\n"]
    assert next(iter(finished(tmp_path))).startswith("compacted-part-")
    assert hidden(tmp_path) == []


def test_compacted_file_is_closed_at_the_size_threshold(tmp_path):
    run = Run(compacting(tmp_path, FileCompactor.concat_file_compactor(), size=4), ManualClock())
    run.write("a", "b", "c")
    run.checkpoint()
    assert sorted(finished(tmp_path).values()) == ["a\nb\n", "c\n"]


def test_identical_compactor_leaves_files_on_their_own(tmp_path):
    run = Run(compacting(tmp_path, FileCompactor.identical_file_compactor()), ManualClock())
    run.write("a", "b")
    run.checkpoint()
    assert sorted(finished(tmp_path).values()) == ["a\n", "b\n"]
    assert all(name.startswith("compacted-") for name in finished(tmp_path))


def test_compaction_that_died_before_removing_its_parts_is_not_repeated(tmp_path):
    sink = compacting(tmp_path, FileCompactor.concat_file_compactor())
    run = Run(sink, ManualClock())
    run.write("a", "b")
    pending, _ = run.barrier()
    parts = {path: path.read_bytes() for path in hidden(tmp_path)}
    run.committer.commit(pending)
    for path, content in parts.items():
        path.write_bytes(content)
    sink.create_committer(None).recover(pending, {})
    assert list(finished(tmp_path).values()) == ["a\nb\n"]
    assert hidden(tmp_path) == []


def test_disable_compact_takes_compaction_back(tmp_path):
    strategy = FileCompactStrategy.builder().set_size_threshold(100).build()
    builder = row_sink(tmp_path, RollingPolicy.default_rolling_policy(part_size=1))
    run = Run(
        spec(builder.enable_compact(strategy, FileCompactor.concat_file_compactor()).disable_compact()), ManualClock()
    )
    run.write("a", "b")
    run.end()
    assert sorted(finished(tmp_path).values()) == ["a\n", "b\n"]


def test_compaction_without_a_condition_is_refused():
    with pytest.raises(ConfigurationError, match="set_size_threshold"):
        FileCompactStrategy.builder().build()


# ---------------------------------------------------------------------------------------------- in a job


def test_job_with_checkpoints_and_a_failure_writes_each_record_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marker = tmp_path / "failed"

    def fail_once(value: int) -> int:
        if value == 3000 and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        return value

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.enable_checkpointing(10)
    stream = env.from_collection(list(range(5000)), Types.INT()).map(fail_once, Types.INT())
    stream.sink_to(row_sink(tmp_path / "out").build())
    env.execute()
    assert marker.exists()
    lines = [int(line) for text in finished(tmp_path / "out").values() for line in text.split()]
    assert sorted(lines) == list(range(5000))


def test_streaming_file_sink_is_the_same_for_add_sink(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = (
        StreamingFileSink.for_row_format("out", Encoder.simple_string_encoder())
        .with_bucket_assigner(BASE)
        .with_bucket_check_interval(1000)
        .with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
        .with_output_file_config(OutputFileConfig("old", ".txt"))
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.from_collection(["ä"], Types.STRING()).add_sink(sink)
    env.execute()
    (name,) = finished(tmp_path / "out")
    assert name.startswith("old-")
    assert (tmp_path / "out" / name).read_bytes() == "ä\n".encode()


def test_bulk_format_takes_no_policy_that_keeps_files_open(tmp_path):
    with pytest.raises(TypeError, match="OnCheckpointRollingPolicy"):
        FileSink.for_bulk_format(str(tmp_path), BulkWriterFactory()).with_rolling_policy(
            RollingPolicy.default_rolling_policy()
        )


def test_other_filesystems_are_refused_and_file_uris_are_not(tmp_path):
    with pytest.raises(UnsupportedError, match="s3://"):
        FileSink.for_row_format("s3://bucket/x", Encoder.simple_string_encoder())
    run = Run(spec(row_sink(f"file://{tmp_path}/with%20space")), ManualClock())  # type: ignore[arg-type]
    run.write("a")
    run.end()
    assert list(finished(tmp_path / "with space").values()) == ["a\n"]


def test_base_path_that_is_a_file_fails_before_the_job_starts(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ConfigurationError, match="is a file"):
        spec(row_sink(tmp_path / "out")).preflight(None, None)


# ------------------------------------------------------------------------------------------------ bulk formats


class Counted(BulkWriterFactory):
    """Writes the number of records and then all of them, which only a whole file can hold."""

    def create(self, stream: Any) -> BulkWriter:
        return CountedWriter(stream)


class CountedWriter(BulkWriter):
    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.values: list[str] = []

    def add_element(self, value: Any) -> None:
        self.values.append(value)

    def finish(self) -> None:
        self.stream.write(f"{len(self.values)}:{','.join(self.values)}".encode())


@pytest.mark.parametrize("sink", [FileSink, StreamingFileSink])
def test_bulk_file_is_whole_at_every_checkpoint_and_named_and_placed_as_said(tmp_path, sink):
    builder = (
        sink.for_bulk_format(str(tmp_path), Counted())
        .with_bucket_assigner(ByFirstLetter())
        .with_output_file_config(OutputFileConfig("bulk", ".x"))
        .with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
        .with_bucket_check_interval(1)
    )
    run = Run(spec(builder), ManualClock())
    run.write("ab", "ac", "b")
    assert run.checkpoint()["parts"] == []
    run.write("ad")
    run.checkpoint()
    found = finished(tmp_path)
    assert sorted(found.values()) == ["1:ad", "1:b", "2:ab,ac"]
    assert all("/bulk-" in name and name.endswith(".x") for name in found)


@pytest.mark.parametrize("compacted", [True, False])
def test_bulk_files_are_compacted_as_said(tmp_path, compacted):
    strategy = FileCompactStrategy.builder().set_size_threshold(100).build()
    builder = FileSink.for_bulk_format(str(tmp_path), Counted()).with_bucket_assigner(BASE)
    builder = builder.enable_compact(strategy, FileCompactor.identical_file_compactor())
    run = Run(spec(builder if compacted else builder.disable_compact()), ManualClock())
    run.write("a")
    run.end()
    (name,) = finished(tmp_path)
    assert name.startswith("compacted-") == compacted


def test_age_is_looked_at_every_minute_unless_said_otherwise(tmp_path):
    for builder in (
        FileSink.for_bulk_format(str(tmp_path), Counted()),
        FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()),
        StreamingFileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()),
        StreamingFileSink.for_bulk_format(str(tmp_path), Counted()),
    ):
        assert spec(builder).options.load().bucket_check_interval_ms == 60_000
        assert spec(builder.with_bucket_check_interval(7)).options.load().bucket_check_interval_ms == 7
        with pytest.raises(ConfigurationError, match="above 0"):
            builder.with_bucket_check_interval(0)


def test_files_are_called_part_unless_said_otherwise():
    config = OutputFileConfig.builder().build()
    assert (config.get_part_prefix(), config.get_part_suffix()) == ("part", "")


def test_there_is_no_java_behind_any_of_it(tmp_path):
    for thing in (BASE, RollingPolicy.on_checkpoint_rolling_policy(), OutputFileConfig("a", "b")):
        with pytest.raises(UnsupportedError, match="no Java"):
            thing.get_java_object()
    for maker in (FileCompactor.concat_file_compactor, FileCompactStrategy.builder().set_size_threshold(1).build):
        with pytest.raises(UnsupportedError, match="no Java"):
            maker().get_java_object()
    with pytest.raises(TypeError, match="BulkWriterFactory"):
        FileSink.for_bulk_format(str(tmp_path), "parquet")  # type: ignore[arg-type]


def test_endless_job_without_checkpoints_is_refused_because_no_file_would_ever_appear(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(tmp_path))
    env = StreamExecutionEnvironment.get_execution_environment()
    lines = env.from_source(
        source.monitor_continuously(Duration.of_seconds(1)).build(), WatermarkStrategy.no_watermarks(), "files"
    )
    lines.sink_to(row_sink(tmp_path / "out").build())
    with pytest.raises(ConfigurationError, match=r"FileSink.*enable_checkpointing"):
        env.execute()

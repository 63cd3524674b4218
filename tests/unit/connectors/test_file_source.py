"""The file source: which files, in which order, from where on."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.files import collected, read_all, source_context
from wiesel.common import Duration, Types, WatermarkStrategy
from wiesel.core.contracts import SourceSplit
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import (
    FileEnumeratorProvider,
    FileSource,
    FileSplitAssignerProvider,
    StreamFormat,
)


def builder(*paths: Path, charset: str = "UTF-8") -> Any:
    return FileSource.for_record_stream_format(StreamFormat.text_line_format(charset), *map(str, paths))


def discovered(enumerator: Any) -> list[str]:
    return [Path(split.split_id).name for split in enumerator.on_discovered(enumerator.discover())]


def lines_of(path: Path, position: Any = None, charset: str = "UTF-8") -> list[str]:
    reader = builder(path, charset=charset).build().spec.create_reader(source_context())
    reader.add_splits([SourceSplit(str(path), position or {"at": None, "records": 0})])
    return read_all(reader, max_records=2)


def test_folders_are_read_with_all_below_but_hidden_names(tmp_path):
    for name in ("b.txt", "a/x.txt", "a/.x.txt.inprogress", "_SUCCESS", ".hidden/y", "_tmp/z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    enumerator = builder(tmp_path).build().spec.create_enumerator(source_context(), None)
    assert discovered(enumerator) == ["x.txt", "b.txt"]


def test_static_file_set_is_listed_once_in_the_life_of_the_job(tmp_path):
    (tmp_path / "a").touch()
    spec = builder(tmp_path).monitor_continuously(Duration.of_seconds(1)).process_static_file_set().build().spec
    assert spec.bounded
    enumerator = spec.create_enumerator(source_context(), None)
    assert enumerator.discovery_interval_ms is None
    assert discovered(enumerator) == ["a"]
    (tmp_path / "b").touch()
    assert discovered(spec.create_enumerator(source_context(), enumerator.snapshot())) == []


def test_monitoring_finds_new_files_and_each_only_once(tmp_path):
    (tmp_path / "a").touch()
    spec = builder(tmp_path).monitor_continuously(Duration.of_millis(50)).build().spec
    assert not spec.bounded
    enumerator = spec.create_enumerator(source_context(), None)
    assert enumerator.discovery_interval_ms == 50
    assert discovered(enumerator) == ["a"]
    (tmp_path / "b").touch()
    assert discovered(enumerator) == ["b"]
    (tmp_path / "c").touch()
    assert discovered(spec.create_enumerator(source_context(), enumerator.snapshot())) == ["c"]


def test_files_go_round_the_readers_at_any_parallelism(tmp_path):
    for name in "abcd":
        (tmp_path / name).touch()
    spec = builder(tmp_path).build().spec
    enumerator = spec.create_enumerator(source_context(parallelism=2), None)
    splits = enumerator.on_discovered(enumerator.discover())
    assert [enumerator.owner(split.split_id) for split in splits] == [0, 1, 0, 1]
    rescaled = spec.create_enumerator(source_context(parallelism=3), enumerator.snapshot())
    assert [rescaled.owner(split.split_id) for split in splits] == [0, 1, 2, 0]


def test_lines_end_as_in_java(tmp_path):
    (tmp_path / "f").write_bytes(b"a\nb\r\nc\rd\n\nlast")
    assert lines_of(tmp_path / "f") == ["a", "b", "c", "d", "", "last"]


def test_reading_goes_on_behind_the_snapshot(tmp_path):
    (tmp_path / "f").write_text("ä\nbb\nc\nd\n", encoding="utf-8")
    reader = builder(tmp_path).build().spec.create_reader(source_context())
    reader.add_splits([SourceSplit(str(tmp_path / "f"), {"at": None, "records": 0})])
    batch = reader.poll(2)
    assert batch.values == ["ä", "bb"]
    assert batch.locate(1) == f"{tmp_path / 'f'} record 2"
    (split,) = reader.snapshot()
    reader.close()
    assert lines_of(tmp_path / "f", split.position) == ["c", "d"]


@pytest.mark.parametrize("charset", ["ISO-8859-1", "UTF-16"])
def test_other_charsets(tmp_path, charset):
    (tmp_path / "f").write_bytes("ä\nö\nü\n".encode(charset))
    assert lines_of(tmp_path / "f", charset=charset) == ["ä", "ö", "ü"]


def test_counted_lines_go_on_behind_the_snapshot(tmp_path):
    (tmp_path / "f").write_bytes("a\nb\nc\n".encode("UTF-16"))
    assert lines_of(tmp_path / "f", {"at": 2, "records": 2}, "UTF-16") == ["c"]


def test_compressed_files_are_decompressed_by_their_name(tmp_path):
    (tmp_path / "f.gz").write_bytes(gzip.compress(b"a\nb\nc\n"))
    assert lines_of(tmp_path / "f.gz") == ["a", "b", "c"]
    assert lines_of(tmp_path / "f.gz", {"at": 4, "records": 2}) == ["c"]


def test_reader_is_finished_when_all_files_are_read_and_no_more_come(tmp_path):
    (tmp_path / "f").write_text("a\n")
    reader = builder(tmp_path).build().spec.create_reader(source_context())
    reader.add_splits([SourceSplit(str(tmp_path / "f"), {"at": None, "records": 0})])
    read_all(reader)
    assert not reader.is_finished()
    assert reader.finished_splits() == [str(tmp_path / "f")]
    reader.no_more_splits()
    assert reader.is_finished()


def test_paused_file_waits(tmp_path):
    (tmp_path / "f").write_text("a\n")
    reader = builder(tmp_path).build().spec.create_reader(source_context())
    reader.add_splits([SourceSplit(str(tmp_path / "f"), {"at": None, "records": 0})])
    reader.pause([str(tmp_path / "f")])
    assert reader.poll(10) is None
    reader.pause([])
    assert read_all(reader) == ["a"]


def test_missing_path_fails_before_the_job_starts(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no"):
        builder(tmp_path / "nothing").build().spec.preflight(None)


def test_job_reads_files_as_a_stream_of_str(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("".join(f"{name}{i}\n" for i in range(1000)))
    source = (
        builder(tmp_path)
        .set_file_enumerator(FileEnumeratorProvider.default_non_splittable_file_enumerator())
        .set_file_enumerator(FileEnumeratorProvider.default_splittable_file_enumerator())
        .set_split_assigner(FileSplitAssignerProvider.locality_aware_split_assigner())
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(3)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    assert stream.get_type() == Types.STRING()
    found = collected(stream)
    assert sorted(found) == sorted(f"{name}{i}" for name in "ab" for i in range(1000))


def test_wrong_arguments_are_told(tmp_path):
    with pytest.raises(TypeError, match="StreamFormat"):
        FileSource.for_record_stream_format("text", "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="BulkFormat"):
        FileSource.for_bulk_file_format(StreamFormat.text_line_format(), "x")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="at least one path"):
        builder()
    with pytest.raises(TypeError, match="Duration"):
        builder(Path("x")).monitor_continuously(5)

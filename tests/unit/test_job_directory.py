"""The job directory: one owner at a time, a record that is replaced as a whole."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wiesel.core.disk import OsDisk
from wiesel.core.errors import CheckpointCorruptError, ConfigurationError, JobDirectoryLostError, LeaseLostError
from wiesel.runtime.checkpoint.job_directory import JobDirectory, StoreRecord


def opened(path: Path) -> JobDirectory:
    return JobDirectory(OsDisk(), path, "a" * 32)


def test_a_new_directory_gets_the_identity_it_is_given_and_keeps_it(tmp_path: Path) -> None:
    first = opened(tmp_path / "job")
    first.update(start=1)
    first.close()
    again = JobDirectory(OsDisk(), tmp_path / "job", "b" * 32)
    assert (again.record.uuid, again.record.start) == ("a" * 32, 1)
    again.close()


def test_a_directory_has_one_owner_and_the_other_is_told_which(tmp_path: Path) -> None:
    owner = opened(tmp_path / "job")
    with pytest.raises(LeaseLostError, match=rf"pid {os.getpid()}.*--job-id"):
        opened(tmp_path / "job")
    owner.close()
    owner.close()
    opened(tmp_path / "job").close()


def test_lineages_are_numbered_within_the_store(tmp_path: Path) -> None:
    record = StoreRecord("a" * 32).with_lineage("first", None, {}).with_lineage("fresh", None, {"s": [1, None]})
    assert [lineage.lineage_id for lineage in record.lineages] == ["aaaaaaaaaaaa.1", "aaaaaaaaaaaa.2"]
    directory = opened(tmp_path / "job")
    directory.save(record)
    directory.update_newest(outcome="stopped")
    directory.close()
    read = opened(tmp_path / "job")
    assert [lineage.outcome for lineage in read.record.lineages] == ["running", "stopped"]
    read.close()


def test_changes_from_several_threads_do_not_undo_each_other(tmp_path: Path) -> None:
    directory = opened(tmp_path / "job")
    directory.save(directory.record.with_lineage("first", None, {}))
    changes: list[Callable[[], None]] = [
        lambda: directory.update(last_checkpoint=7),
        lambda: directory.update(start=3),
        lambda: directory.save_claimed("sink"),
        lambda: directory.update_newest(outcome="stopped"),
    ]
    threads = [threading.Thread(target=change) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    directory.close()
    record = opened(tmp_path / "job").record
    assert (record.last_checkpoint, record.start, record.claimed) == (7, 3, ("sink",))
    assert record.newest is not None
    assert record.newest.outcome == "stopped"


def test_the_durable_start_is_what_is_on_disk(tmp_path: Path) -> None:
    directory = opened(tmp_path / "job")
    assert directory.durable_start() == 0
    directory.update(start=5)
    assert directory.durable_start() == 5
    directory.close()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": 9}', b'{"version": 1, "lineages": []}'])
def test_a_damaged_record_ends_the_start_and_names_the_ways_out(tmp_path: Path, content: bytes) -> None:
    directory = opened(tmp_path / "job")
    directory.update(start=1)
    directory.close()
    (tmp_path / "job" / "_store").write_bytes(content)
    with pytest.raises(CheckpointCorruptError, match="--job-id"):
        opened(tmp_path / "job")
    (tmp_path / "job" / "_store").unlink()
    opened(tmp_path / "job").close()


def test_a_directory_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot be written.*execution\.checkpointing\.dir"):
        opened(tmp_path / "file" / "job")


def test_files_are_private_to_the_user(tmp_path: Path) -> None:
    directory = opened(tmp_path / "job")
    directory.update(start=1)
    directory.close()
    assert (tmp_path / "job").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "job").iterdir())


def test_a_directory_is_in_place_until_its_path_leads_elsewhere(tmp_path: Path) -> None:
    directory = opened(tmp_path / "job")
    directory.check_in_place()
    (tmp_path / "job").rename(tmp_path / "away")
    for replaced in (None, "directory", "file", "link"):
        if replaced == "directory":
            opened(tmp_path / "job").close()
        elif replaced == "file":
            shutil.rmtree(tmp_path / "job")
            (tmp_path / "job").touch()
        elif replaced == "link":
            (tmp_path / "job").unlink()
            (tmp_path / "job").mkdir()
            (tmp_path / "job" / "_lock").symlink_to(tmp_path / "away" / "_lock")
        with pytest.raises(JobDirectoryLostError, match=str(tmp_path / "job")):
            directory.check_in_place()
    shutil.rmtree(tmp_path / "job")
    (tmp_path / "away").rename(tmp_path / "job")
    directory.check_in_place()
    directory.close()


def test_a_disk_that_cannot_say_where_a_directory_is_has_not_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = opened(tmp_path / "job")

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output error"):
        patch.setattr(Path, "stat", broken)
        directory.check_in_place()
    directory.check_in_place()
    directory.close()

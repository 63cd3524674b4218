"""The books of a running job's checkpoints, on a disk that fails at the worst moment."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wiesel.cluster.background import Background
from wiesel.cluster.checkpoint_files import CheckpointFiles
from wiesel.cluster.start import Start
from wiesel.core.disk import OsDisk
from wiesel.core.errors import JobDirectoryLostError
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.checkpoint.job_directory import JobDirectory, Lineage
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, SealKey
from wiesel.runtime.checkpoint.storage import CheckpointStorage


class FailingDisk(OsDisk):
    """A disk on which a directory cannot be made durable for a while."""

    def __init__(self) -> None:
        self.failing: Path | None = None
        self.before_rename: dict[str, Callable[[], None]] = {}

    def rename(self, old: Path, new: Path) -> None:
        act = self.before_rename.pop(new.name, None)
        if act is not None:
            act()
            old = new.with_name("elsewhere")
            old.write_bytes(b"")  # what was written by path before is there as well
        super().rename(old, new)

    def sync_directory(self, path: Path) -> None:
        if path == self.failing:
            raise OSError(5, "Input/output error", str(path))
        super().sync_directory(path)


class Books:
    """The files of one start, and the loop that hears of them."""

    def __init__(self, path: Path) -> None:
        self.disk, self.path = FailingDisk(), path
        self.directory = JobDirectory(self.disk, path, "store")
        storage = CheckpointStorage(self.disk, path, SealKey(b"k" * 32))
        start = Start(
            self.directory,
            storage,
            Lineage("l", "first", None, {}),
            None,
            None,
            (),
            {},
            1,
            set(),
            JobGraph("job", (), ()),
        )
        self.storage = storage
        self._mail: queue.Queue[Callable[[], None]] = queue.Queue()
        self._io = Background(self._mail.put, 1, "test")
        self.files = CheckpointFiles(start, self._io, self._mail.put)

    def do(self, act: Callable[[Callable[[Any], None]], None]) -> Any:
        outcome: list[Any] = []
        act(outcome.append)
        while not outcome:
            self._mail.get(timeout=60)()
        return outcome[0]

    def publish(self, number: int) -> Any:
        self.do(lambda done: self.files.begin(number, done))
        return self.do(lambda done: self.files.publish(CheckpointManifest(number, "l", 0), done))

    def discard(self, number: int) -> Any:
        return self.do(lambda done: self.files.discard(number, done))

    def replace_directory(self, *names: str) -> None:
        """Put a directory with these directories in it in the place of the job's."""
        self.path.rename(self.path.with_name("away"))
        for name in names:
            (self.path / name).mkdir(parents=True)

    def end(self) -> int:
        """End as a kill would, and return the checkpoint that the next start will look for."""
        self.files.close()
        self._io.close(wait=True)
        self.directory.close()
        again = JobDirectory(OsDisk(), self.path, "store")
        again.close()
        return again.record.last_checkpoint


def test_a_checkpoint_whose_record_failed_half_way_is_not_looked_for_once_it_is_removed(tmp_path: Path) -> None:
    books = Books(tmp_path / "job")
    assert books.publish(1) is None
    books.disk.failing = tmp_path / "job"
    assert isinstance(books.publish(2), OSError)
    books.disk.failing = None
    assert books.discard(2) is None
    assert books.end() == 1
    assert books.storage.completed() == [1]


def test_a_checkpoint_that_a_start_may_look_for_stays_while_that_cannot_be_undone(tmp_path: Path) -> None:
    books = Books(tmp_path / "job")
    assert books.publish(1) is None
    books.disk.failing = tmp_path / "job"
    assert isinstance(books.publish(2), OSError)
    assert isinstance(books.discard(2), OSError)
    assert books.end() in books.storage.completed()


@pytest.mark.parametrize("file", ["_metadata", "_store"])
def test_a_checkpoint_is_not_complete_when_the_directory_was_replaced_before_or_while_it_was_published(
    tmp_path: Path, file: str
) -> None:
    """The last look is what counts: between the first one and the writes the disk may be unmounted."""
    books = Books(tmp_path / "job")
    assert books.publish(1) is None
    books.do(lambda done: books.files.begin(2, done))
    manifest = CheckpointManifest(2, "l", 0)
    books.disk.before_rename[file] = lambda: books.replace_directory("chk-2")
    assert isinstance(books.do(lambda done: books.files.publish(manifest, done)), JobDirectoryLostError)
    assert isinstance(books.do(lambda done: books.files.publish(manifest, done)), JobDirectoryLostError)
    assert isinstance(books.do(lambda done: books.files.begin(3, done)), JobDirectoryLostError)
    books.files.close()
    assert not (books.path / "chk-3").exists()


def test_what_lies_in_the_place_of_a_lost_directory_is_not_removed(tmp_path: Path) -> None:
    books = Books(tmp_path / "job")
    assert books.publish(1) is None
    assert books.publish(2) is None
    books.replace_directory("chk-1", "chk-2")
    assert isinstance(books.discard(2), JobDirectoryLostError)
    books.files.retain([])
    books.files.close()
    assert sorted(path.name for path in books.path.iterdir()) == ["chk-1", "chk-2"]

"""The disk in memory: what a crash leaves, and directories that are taken away, copied and put back."""

from __future__ import annotations

from pathlib import Path
from random import Random

from wiesel.testing.memory_disk import MemoryDisk

FILE = Path("/job/file")


def written(content: bytes, *, synced: bool = True) -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_directory(FILE.parent)
    file = disk.create(FILE)
    file.write(content)
    if synced:
        file.sync_and_close()
    disk.sync_directory(FILE.parent)
    return disk


def test_a_crash_loses_what_was_not_synced_or_tears_it() -> None:
    disk = written(b"content", synced=False)
    disk.crash()
    assert disk.read(FILE) == b""
    torn = set()
    for seed in range(50):
        disk = written(b"content", synced=False)
        disk.crash(Random(seed))
        torn.add(disk.read(FILE))
    assert {b"", b"content"} < torn
    assert all(b"content".startswith(part) for part in torn)


def test_a_directory_that_was_taken_away_is_gone_for_good_until_it_is_put_back() -> None:
    disk = written(b"content")
    kept = disk.detach(FILE.parent)
    disk.crash()
    assert not disk.exists(FILE.parent)
    disk.attach(FILE.parent, kept)
    disk.crash()
    assert disk.read(FILE) == b"content"


def test_a_backup_does_not_follow_what_happens_later() -> None:
    disk = written(b"old")
    backup = disk.copy_of(FILE.parent)
    disk.remove(FILE)
    disk.attach(Path("/copy"), backup)
    assert disk.read(Path("/copy/file")) == b"old"
    assert not disk.exists(FILE)

"""A savepoint's files: whatever happens to one of them, or while they are written, is noticed and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from wiesel.core.contracts import Committable
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, CheckpointForeignError
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest, SealKey
from wiesel.runtime.checkpoint.storage import METADATA, CheckpointStorage
from wiesel.runtime.reports import OperatorSnapshot, StateFile
from wiesel.testing.memory_disk import MemoryDisk

JOB, SAVEPOINT = Path("/job"), Path("/savepoints/one")
SEGMENT = "wal/sink/1.wal"
FILES = [METADATA, "1-0.state", "1-1.state", SEGMENT]


def storage(disk: MemoryDisk, directory: Path = JOB) -> CheckpointStorage:
    return CheckpointStorage(disk, directory, SealKey(b"k" * 32))


def write_state(store: CheckpointStorage, number: int, name: str, *pieces: bytes) -> StateFile:
    file = store.create_state_file(number, name)
    for piece in pieces:
        file.write(piece)
    return file.finish()


def checkpoint(disk: MemoryDisk, number: int = 1, content: bytes = b"") -> CheckpointManifest:
    """A complete checkpoint of two subtasks whose output is not delivered yet."""
    store = storage(disk)
    store.begin(number)
    disk.make_directory((JOB / SEGMENT).parent)
    disk.remove(JOB / SEGMENT)
    segment = disk.create(JOB / SEGMENT)
    segment.write(b"some records")
    segment.sync_and_close()
    disk.sync_directory((JOB / SEGMENT).parent)
    parts = [
        OperatorSnapshot(keyed=write_state(store, number, f"1-{i}.state", b"state of %d" % i, content))
        for i in range(2)
    ]
    operators = {"count": OperatorManifest("Count", 128, parts)}
    manifest = CheckpointManifest(number, "lineage", 12, operators, [Committable("sink", {}, SEGMENT)], {}, "job")
    store.publish(manifest)
    return manifest


def saved() -> MemoryDisk:
    """A disk with a savepoint and nothing else of the job."""
    disk = MemoryDisk()
    storage(disk).write_savepoint(checkpoint(disk), SAVEPOINT)
    disk.crash()
    disk.remove(JOB)
    return disk


def replace_file(disk: MemoryDisk, path: Path, content: bytes) -> None:
    disk.remove(path)
    file = disk.create(path)
    file.write(content)
    file.sync_and_close()


def assert_noticed(disk: MemoryDisk, file: str) -> None:
    with pytest.raises((CheckpointCorruptError, CheckpointForeignError)) as noticed:
        storage(disk).load(SAVEPOINT)
    assert str(SAVEPOINT / file) in str(noticed.value)


def test_a_savepoint_survives_a_crash_right_after_it_and_needs_nothing_but_its_own_directory() -> None:
    disk = saved()
    elsewhere = storage(disk, Path("/elsewhere"))
    manifest = elsewhere.load(SAVEPOINT)
    assert [file.name for file in manifest.all_files()] == FILES[1:]
    keyed = manifest.operators["count"].subtasks[1].keyed
    assert keyed is not None
    assert b"".join(elsewhere.pieces(SAVEPOINT, keyed)) == b"state of 1"
    elsewhere.adopt_segments(SAVEPOINT, manifest)
    assert disk.read(Path("/elsewhere") / SEGMENT) == b"some records"


@pytest.mark.parametrize("file", FILES)
def test_any_flipped_byte_of_any_file_is_noticed(file: str) -> None:
    disk = saved()
    for position in range(len(disk.read(SAVEPOINT / file))):
        disk.flip(SAVEPOINT / file, position)
        assert_noticed(disk, file)
        disk.flip(SAVEPOINT / file, position)
    storage(disk).load(SAVEPOINT)


@pytest.mark.parametrize("file", FILES)
def test_any_file_cut_off_at_any_byte_or_made_longer_is_noticed(file: str) -> None:
    disk = saved()
    content = disk.read(SAVEPOINT / file)
    for length in range(len(content)):
        replace_file(disk, SAVEPOINT / file, content[:length])
        assert_noticed(disk, file)
    replace_file(disk, SAVEPOINT / file, content + b"\0")
    assert_noticed(disk, file)


@pytest.mark.parametrize("file", FILES[1:])
def test_a_deleted_file_is_named(file: str) -> None:
    disk = saved()
    disk.remove(SAVEPOINT / file)
    assert_noticed(disk, file)


def test_a_directory_without_its_manifest_is_no_savepoint() -> None:
    disk = saved()
    disk.remove(SAVEPOINT / METADATA)
    with pytest.raises(CheckpointError, match=r"savepoints/one holds no complete checkpoint.*savepoint-… directory"):
        storage(disk).load(SAVEPOINT)


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in FILES for b in FILES if a < b])
def test_files_that_changed_places_are_noticed(first: str, second: str) -> None:
    disk = saved()
    one, other = disk.read(SAVEPOINT / first), disk.read(SAVEPOINT / second)
    replace_file(disk, SAVEPOINT / first, other)
    replace_file(disk, SAVEPOINT / second, one)
    assert_noticed(disk, min((first, second), key=FILES.index))


def test_the_manifest_of_another_savepoint_is_noticed_by_the_files_it_names() -> None:
    disk = MemoryDisk()
    for number, place in ((1, SAVEPOINT), (2, Path("/savepoints/two"))):
        storage(disk).write_savepoint(checkpoint(disk, number, b"%d" % number), place)
    replace_file(disk, SAVEPOINT / METADATA, disk.read(Path("/savepoints/two") / METADATA))
    assert_noticed(disk, "1-0.state")


def test_the_manifest_of_another_checkpoint_of_the_job_is_noticed_by_its_number() -> None:
    disk = MemoryDisk()
    checkpoint(disk, 1)
    checkpoint(disk, 2)
    replace_file(disk, JOB / "chk-2" / METADATA, disk.read(JOB / "chk-1" / METADATA))
    with pytest.raises(CheckpointCorruptError, match=r"chk-2/_metadata is that of checkpoint 1: files were swapped"):
        storage(disk).load(JOB / "chk-2")


def damage_state(disk: MemoryDisk) -> None:
    disk.flip(JOB / "chk-1" / "1-0.state", 3)


def remove_segment(disk: MemoryDisk) -> None:
    disk.remove(JOB / SEGMENT)


@pytest.mark.parametrize("harm", [damage_state, remove_segment])
def test_a_damaged_checkpoint_makes_no_savepoint(harm: Callable[[MemoryDisk], None]) -> None:
    disk = MemoryDisk()
    manifest = checkpoint(disk)
    harm(disk)
    with pytest.raises((CheckpointCorruptError, FileNotFoundError)):
        storage(disk).write_savepoint(manifest, SAVEPOINT)
    assert not disk.exists(SAVEPOINT)


def test_a_disk_that_is_full_at_any_moment_leaves_no_savepoint_and_harms_nothing() -> None:
    disk = MemoryDisk()
    manifest = checkpoint(disk)
    for space in range(2_000):
        disk.space = space
        try:
            storage(disk).write_savepoint(manifest, SAVEPOINT)
        except OSError:
            assert not disk.exists(SAVEPOINT)
            assert disk.open_files == 0
            continue
        break
    else:
        raise AssertionError("it never fits")
    disk.space = None
    storage(disk).load(SAVEPOINT)
    storage(disk).load(JOB / "chk-1")


@pytest.mark.parametrize("seed", range(20))
def test_a_crash_at_any_moment_leaves_a_whole_savepoint_or_none(seed: int) -> None:
    disk = MemoryDisk()
    manifest = checkpoint(disk)
    disk.space = seed * 60
    try:
        storage(disk).write_savepoint(manifest, SAVEPOINT)
    except OSError:
        pass
    disk.crash(Random(seed))
    disk.space = None
    if disk.exists(SAVEPOINT / METADATA):
        storage(disk).load(SAVEPOINT)

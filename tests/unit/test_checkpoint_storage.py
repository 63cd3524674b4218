"""Checkpoints on disk: what a crash may take, what damage is noticed, what is removed."""

from pathlib import Path
from random import Random

import pytest

from wiesel.core.disk import write_durably
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, CheckpointForeignError
from wiesel.runtime.checkpoint.manifest import CheckpointManifest, OperatorManifest, SealKey, encode
from wiesel.runtime.checkpoint.storage import METADATA, CheckpointStorage
from wiesel.runtime.reports import OperatorSnapshot, StateFile
from wiesel.testing.memory_disk import MemoryDisk

JOB = Path("/job")
KEY = SealKey(b"k" * 32)


def storage(disk: MemoryDisk, **options: object) -> CheckpointStorage:
    return CheckpointStorage(disk, JOB, KEY, **options)  # type: ignore[arg-type]


def write_state(store: CheckpointStorage, number: int, *pieces: bytes) -> StateFile:
    file = store.create_state_file(number, "1-0.state")
    for piece in pieces:
        file.write(piece)
    return file.finish()


def manifest(number: int, keyed: StateFile | None = None) -> CheckpointManifest:
    operators = {"count": OperatorManifest("Count", 128, [OperatorSnapshot(state={"a": 1}, keyed=keyed)])}
    return CheckpointManifest(number, "lineage", 12, operators)


def complete(store: CheckpointStorage, number: int, *pieces: bytes) -> CheckpointManifest:
    store.begin(number)
    content = manifest(number, write_state(store, number, *pieces))
    store.publish(content)
    return content


def test_a_published_checkpoint_survives_a_crash_with_all_its_pieces() -> None:
    disk = MemoryDisk()
    written = complete(storage(disk), 1, b"one", b"", b"three")
    disk.crash()
    store = storage(disk)
    assert store.completed() == [1]
    read = store.load(store.path_of(1))
    assert encode(read, KEY) == encode(written, KEY)
    keyed = read.operators["count"].subtasks[0].keyed
    assert keyed is not None
    assert list(store.pieces(store.path_of(1), keyed)) == [b"one", b"", b"three"]


def test_a_checkpoint_exists_only_once_it_is_published() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    store.begin(1)
    write_state(store, 1, b"x")
    disk.crash()
    assert storage(disk).completed() == []
    assert storage(disk).all_ids() == [1]


@pytest.mark.parametrize("seed", range(20))
def test_a_crash_at_any_write_leaves_the_old_content_of_a_file_or_the_new(seed: int) -> None:
    disk, path = MemoryDisk(), JOB / "record"
    disk.make_directory(JOB)
    write_durably(disk, path, b"old" * 100)
    disk.space = seed * 20
    try:
        write_durably(disk, path, b"new" * 100)
        expected = {b"new" * 100}
    except OSError:
        expected = {b"old" * 100}
    disk.crash(Random(seed))
    disk.space = None
    assert disk.read(path) in expected


def test_a_full_disk_leaves_no_open_file_behind() -> None:
    disk = MemoryDisk()
    disk.make_directory(JOB)
    disk.space = 10
    with pytest.raises(OSError, match="No space left"):
        write_durably(disk, JOB / "record", b"x" * 100)
    assert disk.open_files == 0


@pytest.mark.parametrize("name", [METADATA, "1-0.state"])
@pytest.mark.parametrize("position", [0, 20, -1])
def test_one_flipped_bit_is_noticed_before_anything_is_restored(name: str, position: int) -> None:
    disk = MemoryDisk()
    store = storage(disk)
    complete(store, 1, b"some state", b"and some more of it")
    disk.flip(store.path_of(1) / name, position)
    with pytest.raises((CheckpointCorruptError, CheckpointForeignError), match="chk-1"):
        store.load(store.path_of(1))


def test_a_missing_state_file_is_named() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    complete(store, 1, b"x")
    disk.remove(store.path_of(1) / "1-0.state")
    with pytest.raises(CheckpointCorruptError, match=r"1-0\.state is missing"):
        store.load(store.path_of(1))


def test_a_directory_without_metadata_is_no_checkpoint_and_says_what_to_pass() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    store.begin(1)
    with pytest.raises(CheckpointError, match=r"Pass the path of a chk-"):
        store.load(store.path_of(1))


def test_a_number_begun_again_starts_from_an_empty_directory() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    store.begin(1)
    write_state(store, 1, b"left by a crash")
    store.begin(1)
    assert disk.list(store.path_of(1)) == []


def test_only_checkpoint_directories_count_as_such() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    complete(store, 12, b"x")
    disk.make_directory(JOB / "chk-x")
    disk.make_directory(JOB / "wal")
    assert store.all_ids() == [12]


def test_files_of_committables_are_removed_by_their_path_in_the_job_directory() -> None:
    disk = MemoryDisk()
    store = storage(disk)
    disk.make_directory(JOB / "wal")
    disk.create(JOB / "wal" / "a").sync_and_close()
    disk.create(JOB / "wal" / "b").sync_and_close()
    store.remove_segments(["wal/a", "wal/missing"])
    assert disk.list(JOB / "wal") == ["b"]

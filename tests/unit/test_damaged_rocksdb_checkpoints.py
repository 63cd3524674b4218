"""Checkpoints that hold RocksDB's own files: any damage to any of them is noticed before it is opened, by its name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.counting import CountingJob, finish
from wiesel.cluster.driver import JobDriver
from wiesel.core.disk import OsDisk
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, CheckpointForeignError
from wiesel.runtime.checkpoint.manifest import SealKey
from wiesel.runtime.checkpoint.storage import METADATA, CheckpointStorage

pytest.importorskip("rocksdict")

#: One file of each kind that such a checkpoint has, as a pattern.
KINDS = [METADATA, "*.state", "*.sst", "*.MANIFEST-*", "*.CURRENT", "*.OPTIONS-*", "*-config.json"]
#: Bytes that are flipped in each file, evenly spread, its first and last one among them.
REGIONS = 200


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> CountingJob:
    """A job that was left with a checkpoint."""
    job = CountingJob(tmp_path_factory.mktemp("saved"), settings={"state.backend.type": "rocksdb"})

    def act(driver: JobDriver) -> None:
        job.publish(60)
        driver.stop()

    job.run_and(act)
    return job


@pytest.fixture
def checkpoint(saved: CountingJob, tmp_path: Path) -> Path:
    """The newest checkpoint, whose files have no other names: damage stays here."""
    newest = max(saved.path.glob("chk-*"), key=lambda path: int(path.name[4:]))
    return Path(shutil.copytree(newest, tmp_path / newest.name))


def load(checkpoint: Path) -> None:
    CheckpointStorage(OsDisk(), checkpoint.parent, SealKey(b"k" * 32)).load(checkpoint)


def assert_noticed(checkpoint: Path, file: Path) -> None:
    with pytest.raises((CheckpointCorruptError, CheckpointForeignError)) as noticed:
        load(checkpoint)
    assert str(file) in str(noticed.value)


def one(checkpoint: Path, kind: str) -> Path:
    return max(checkpoint.glob(kind), key=lambda path: path.stat().st_size)


def test_a_checkpoint_of_rocksdb_has_a_file_of_every_kind_that_is_damaged_here(checkpoint: Path) -> None:
    load(checkpoint)
    damaged = {path for kind in KINDS for path in checkpoint.glob(kind)}
    assert damaged == set(checkpoint.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_anywhere_is_noticed(checkpoint: Path, kind: str) -> None:
    for file in checkpoint.glob(kind):
        content = file.read_bytes()
        count = min(REGIONS, len(content))
        for number in range(count):
            position = number * (len(content) - 1) // max(1, count - 1)
            damaged = bytearray(content)
            damaged[position] ^= 1 << number % 8
            file.write_bytes(damaged)
            assert_noticed(checkpoint, file)
        file.write_bytes(content)
    load(checkpoint)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_length_is_noticed(checkpoint: Path, kind: str) -> None:
    file = one(checkpoint, kind)
    content = file.read_bytes()
    for damaged in (b"", content[:1], content[: len(content) // 2], content[:-1], content + b"\0", content * 2):
        file.write_bytes(damaged)
        assert_noticed(checkpoint, file)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_gone_or_a_link_is_noticed(checkpoint: Path, kind: str) -> None:
    file = one(checkpoint, kind)
    elsewhere = file.rename(checkpoint.parent / "elsewhere")
    with pytest.raises(CheckpointError) as noticed:
        load(checkpoint)
    assert str(checkpoint if kind == METADATA else file) in str(noticed.value)
    file.symlink_to(elsewhere)
    assert_noticed(checkpoint, file)


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in KINDS for b in KINDS if a < b])
def test_files_that_changed_places_are_noticed(checkpoint: Path, first: str, second: str) -> None:
    one_file, other_file = one(checkpoint, first), one(checkpoint, second)
    one_content, other_content = one_file.read_bytes(), other_file.read_bytes()
    one_file.write_bytes(other_content)
    other_file.write_bytes(one_content)
    with pytest.raises((CheckpointCorruptError, CheckpointForeignError)) as noticed:
        load(checkpoint)
    assert any(str(file) in str(noticed.value) for file in (one_file, other_file))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("kind", ["*.sst", "*.MANIFEST-*", "*.CURRENT", "*.OPTIONS-*", "*-config.json", "*.state"])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_start_from_a_damaged_checkpoint_names_the_file_publishes_nothing_and_goes_on_once_it_is_repaired(
    saved: CountingJob, tmp_path: Path, kind: str, damage: Callable[[Path], None], parallelism: int
) -> None:
    job = CountingJob(tmp_path, settings={"state.backend.type": "rocksdb"})
    job.source, job.sink, job.parallelism = saved.source, type(saved.sink)(), parallelism
    job.settings["wiesel.checkpoint.key-file"] = saved.settings["wiesel.checkpoint.key-file"]
    shutil.copytree(saved.path, job.path)
    newest = max(job.path.glob("chk-*"), key=lambda path: int(path.name[4:]))
    file = one(newest, kind)
    content, store = file.read_bytes(), (job.path / "_store").read_bytes()
    damage(file)
    with pytest.raises(CheckpointCorruptError) as refused:
        job.run(resume=True)
    assert str(file) in str(refused.value)
    assert job.sink.published == []
    assert (job.path / "_store").read_bytes() == store
    file.write_bytes(content)
    finish(job, resume=True)
    assert sorted({item[0] for item in job.sink.published if item[0] != "timer"}) == list(range(60, 120))

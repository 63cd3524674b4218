"""What is RocksDB's own: the cache, what checkpoints share, damage, and which snapshots it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wiesel.common import Time, Types
from wiesel.core.contracts import KeptFile
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, RestoreRefusedError
from wiesel.core.state import ListStateDescriptor, StateTtlConfig, ValueStateDescriptor
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.state.rocksdb import backend as backend_module
from wiesel.state.rocksdb.backend import RocksDBKeyedStateBackend
from wiesel.state.rocksdb.database import Database
from wiesel.testing.clock import ManualClock

COUNT: ValueStateDescriptor[int] = ValueStateDescriptor("count", Types.LONG())
SEEN: ListStateDescriptor[int] = ListStateDescriptor("seen", Types.LONG())


class Keeper:
    """A checkpoint's directory, and what was read for it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.read: list[str] = []

    def keep(self, name: str, path: Path, known: KeptFile | None) -> KeptFile:
        (self.directory / name).hardlink_to(path)
        if known is None:
            self.read.append(name)
        return KeptFile(name, path.stat().st_size, "digest")

    def files(self) -> dict[str, Path]:
        return {path.name: path for path in self.directory.iterdir()}


class Bench:
    def __init__(self, directory: Path, clock: ManualClock | None = None) -> None:
        self.directory = directory
        self.backend = RocksDBKeyedStateBackend(
            lambda key: 0, directory / "db", clock, memory=1 << 20, write_buffer=1 << 16
        )

    def fill(self, count: int, offset: int = 0) -> None:
        state = self.backend.state(COUNT)
        for number in range(count):
            self.backend.set_current_key(number)
            state.update(number + offset)

    def changed(self) -> int:
        return sum(len(table.store.changed) for table in self.backend._on_disk.values())

    def checkpoint(self, name: str) -> tuple[list[bytes], Keeper]:
        snapshot, keeper = self.backend.snapshot(), Keeper(self.directory / name)
        pieces = list(snapshot.slices())
        snapshot.files(keeper.keep)
        snapshot.release()
        return pieces, keeper

    def restored(self, pieces: list[bytes], keeper: Keeper) -> RocksDBKeyedStateBackend:
        self.backend.close()
        self.backend = RocksDBKeyedStateBackend(
            lambda key: 0, self.directory / "db2", memory=1 << 20, write_buffer=1 << 16
        )
        self.backend.restore(pieces, None, keeper.files())
        return self.backend

    def count(self, key: Any) -> Any:
        self.backend.set_current_key(key)
        return self.backend.state(COUNT).value()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.backend.close()


def test_a_second_checkpoint_reads_only_the_files_that_are_new(bench: Bench) -> None:
    bench.fill(5000)
    _, first = bench.checkpoint("1")
    bench.backend.set_current_key("one more")
    bench.backend.state(COUNT).update(1)
    _, second = bench.checkpoint("2")
    tables = {name for name in second.files() if name.endswith(".sst")}
    old = {name for name in first.files() if name.endswith(".sst")}
    assert old <= tables
    assert {name for name in second.read if name.endswith(".sst")} == tables - old
    assert len(tables - old) == 1


def test_what_changes_behind_a_barrier_is_not_in_its_checkpoint(bench: Bench) -> None:
    bench.fill(100)
    snapshot, keeper = bench.backend.snapshot(), Keeper(bench.directory / "1")
    pieces = list(snapshot.slices())
    bench.fill(5000, offset=7)
    bench.backend.tidy()
    assert bench.changed() == 5000
    snapshot.files(keeper.keep)
    snapshot.release()
    bench.backend.tidy()
    assert bench.count(5) == 12
    bench.restored(pieces, keeper)
    assert [bench.count(5), bench.count(4000)] == [5, None]


def test_a_checkpoint_stays_what_it_is_while_a_restored_job_goes_on(bench: Bench) -> None:
    bench.fill(100)
    pieces, keeper = bench.checkpoint("1")
    before = {name: path.read_bytes() for name, path in keeper.files().items()}
    bench.restored(pieces, keeper)
    bench.fill(5000, offset=7)
    bench.checkpoint("2")
    assert {name: path.read_bytes() for name, path in keeper.files().items()} == before


def test_a_snapshot_that_is_given_up_lets_the_database_change_again(bench: Bench) -> None:
    bench.fill(10)
    bench.backend.snapshot().release()
    bench.fill(5000)
    bench.backend.tidy()
    assert not bench.changed()


def test_more_changes_than_fit_into_memory_do_not_wait_for_a_snapshot_that_nobody_gathers_yet(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "_WAITING_BYTES", 1)
    bench.fill(100)
    snapshot, keeper = bench.backend.snapshot(), Keeper(bench.directory / "1")
    bench.fill(5000, offset=7)
    bench.backend.tidy()  # this thread also writes the pieces, so it must not wait for what comes behind them
    assert not bench.changed()
    pieces = list(snapshot.slices())
    snapshot.files(keeper.keep)
    snapshot.release()
    bench.restored(pieces, keeper)
    assert [bench.count(5), bench.count(4000)] == [5, None]


def test_a_barrier_that_overtakes_a_snapshot_waits_for_nothing_and_both_are_right(bench: Bench) -> None:
    bench.fill(10)
    first = bench.backend.snapshot()
    bench.fill(10, offset=7)
    second = bench.backend.snapshot()
    bench.fill(10, offset=9)
    for snapshot, name, expected in ((second, "2", 12), (first, "1", 5)):
        keeper = Keeper(bench.directory / name)
        pieces = list(snapshot.slices())
        snapshot.files(keeper.keep)
        snapshot.release()
        restored = Bench(bench.directory / f"of-{name}")
        restored.restored(pieces, keeper)
        assert restored.count(5) == expected
        restored.backend.close()
    assert not list(bench.directory.glob("db.barrier*"))


def test_a_snapshot_whose_backend_was_closed_is_declined(bench: Bench) -> None:
    bench.fill(10)
    snapshot = bench.backend.snapshot()
    bench.backend.close()
    with pytest.raises(CheckpointError, match="given up"):
        snapshot.files(Keeper(bench.directory / "1").keep)


def test_an_error_of_linking_early_is_told_to_who_gathers_the_files(bench: Bench) -> None:
    bench.fill(10)
    snapshot = bench.backend.snapshot()
    (bench.directory / "db.barrier-1").mkdir()
    bench.backend.snapshot().release()
    with pytest.raises(CheckpointError, match="exists"):
        snapshot.files(Keeper(bench.directory / "1").keep)


def test_a_state_whose_values_are_converted_during_a_snapshot_is_in_it_as_it_was(bench: Bench) -> None:
    bench.fill(10)
    pieces, keeper = bench.checkpoint("1")
    bench.restored(pieces, keeper)
    snapshot, second = bench.backend.snapshot(), Keeper(bench.directory / "2")
    expiring: ValueStateDescriptor[int] = ValueStateDescriptor("count", Types.LONG())
    expiring.enable_time_to_live(StateTtlConfig.new_builder(Time.minutes(1)).build())
    bench.backend.set_current_key(5)
    assert bench.backend.state(expiring).value() == 5
    pieces = list(snapshot.slices())
    snapshot.files(second.keep)
    bench.backend.close()
    last = Bench(bench.directory / "last")
    last.restored(pieces, second)
    assert last.count(5) == 5
    last.backend.close()


def test_state_of_a_heap_that_had_no_time_to_live_gets_one(bench: Bench) -> None:
    heap = HeapKeyedStateBackend(lambda key: 0)
    heap.set_current_key("k")
    heap.state(COUNT).update(5)
    bench.backend.restore(list(heap.snapshot().slices()), None)
    expiring: ValueStateDescriptor[int] = ValueStateDescriptor("count", Types.LONG())
    expiring.enable_time_to_live(StateTtlConfig.new_builder(Time.minutes(1)).build())
    bench.backend.set_current_key("k")
    assert bench.backend.state(expiring).value() == 5


def test_a_value_that_was_read_and_changed_in_place_is_written(bench: Bench) -> None:
    bench.backend.set_current_key("k")
    seen = bench.backend.state(SEEN)
    seen.update([1])
    pieces, keeper = bench.checkpoint("1")
    seen.add(2)
    pieces, keeper = bench.checkpoint("2")
    restored = bench.restored(pieces, keeper)
    restored.set_current_key("k")
    assert list(restored.state(SEEN).get()) == [1, 2]


def test_the_cache_is_bounded_by_the_bytes_of_its_values(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "_CACHED_BYTES", 10_000)
    state = bench.backend.state(ValueStateDescriptor("text", Types.STRING()))
    run = bench.backend.bind_keyed(lambda value, timestamp: state.update("x" * 1000))
    for batch in range(20):
        run([0] * 10, [0] * 10, list(range(batch * 10, batch * 10 + 10)))
    (table,) = bench.backend._on_disk.values()
    assert len(table.store._cache) < 150
    bench.backend.set_current_key(3)
    assert state.value() == "x" * 1000


def test_what_has_expired_goes_without_being_read_again(tmp_path: Path) -> None:
    clock = ManualClock(1000)
    bench = Bench(tmp_path, clock)
    descriptor: ValueStateDescriptor[int] = ValueStateDescriptor("v", Types.LONG())
    descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.milliseconds(10)).build())
    state = bench.backend.state(descriptor)
    for number in range(500):
        bench.backend.set_current_key(number)
        state.update(number)
    clock.advance(20)
    bench.backend.set_current_key("alive")
    for _ in range(600):
        state.update(1)
    bench.backend.tidy()
    (table,) = bench.backend._on_disk.values()
    assert table.number_of_entries() == 1
    assert state.value() == 1
    bench.backend.close()


def test_cleaning_up_keeps_pace_with_the_accesses_and_leaves_the_cache_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(1000)
    bench = Bench(tmp_path, clock)
    descriptor: ValueStateDescriptor[int] = ValueStateDescriptor("v", Types.LONG())
    descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.milliseconds(10)).build())
    state = bench.backend.state(descriptor)

    def count(value: int, timestamp: int) -> None:
        for _ in range(5):
            state.update((state.value() or 0) + 1)

    run = bench.backend.bind_keyed(count)
    run([0] * 6000, [0] * 6000, list(range(6000)))
    (table,) = bench.backend._on_disk.values()
    table.store.flush()
    table.store.forget()
    clock.advance(20)
    loaded: list[Any] = []
    load = table.store._database.get

    def noted(key: bytes) -> bytes | None:
        loaded.append(key)
        return load(key)

    monkeypatch.setattr(table.store._database, "get", noted)
    # Ten accesses a record look at two entries each, so that 320 records pay for more than all of them.
    run([0] * 400, [0] * 400, [number % 10 for number in range(400)])
    table.store.flush()
    assert table.number_of_entries() == 10
    assert len(loaded) == 10, "each key is read from the database once"
    bench.backend.set_current_key(3)
    assert state.value() == 40 * 5
    bench.backend.close()


def test_expired_state_stays_in_the_database_when_cleaning_up_in_the_background_is_off(tmp_path: Path) -> None:
    clock = ManualClock(1000)
    bench = Bench(tmp_path, clock)
    descriptor: ValueStateDescriptor[int] = ValueStateDescriptor("v", Types.LONG())
    ttl = StateTtlConfig.new_builder(Time.milliseconds(10)).disable_cleanup_in_background().build()
    descriptor.enable_time_to_live(ttl)
    state = bench.backend.state(descriptor)
    bench.backend.set_current_key("over")
    state.update(1)
    clock.advance(20)
    run = bench.backend.bind_keyed(lambda value, timestamp: state.update(value))
    run([0] * 5000, [0] * 5000, ["alive"] * 5000)
    (table,) = bench.backend._on_disk.values()
    table.store.flush()
    assert table.number_of_entries() == 2
    bench.backend.close()


def test_heap_state_goes_on_in_rocksdb_and_not_the_other_way(bench: Bench) -> None:
    heap = HeapKeyedStateBackend(lambda key: 0)
    heap.set_current_key("k")
    heap.state(COUNT).update(5)
    bench.backend.restore(list(heap.snapshot().slices()), None)
    assert bench.count("k") == 5
    pieces, keeper = bench.checkpoint("1")
    with pytest.raises(RestoreRefusedError, match=r"state\.backend\.type: rocksdb"):
        HeapKeyedStateBackend(lambda key: 0).restore(pieces, None, keeper.files())


def test_a_range_that_cannot_be_read_on_is_an_error_and_no_end(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", memory=1 << 16, write_buffer=1 << 16)
    database.write((b"%06d" % number, bytes(100)) for number in range(20_000))
    database.copy_by_links(tmp_path / "copy")
    database.close()
    damaged = max((tmp_path / "copy").glob("*.sst"), key=lambda path: path.stat().st_size)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    opened = Database(tmp_path / "copy", memory=1 << 16, write_buffer=1 << 16)
    with pytest.raises(CheckpointCorruptError, match="cannot be read"):
        list(opened.entries(b""))
    opened.close()
    assert not (tmp_path / "copy").exists()


FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from wiesel.core.errors import CheckpointError
from wiesel.state.rocksdb.database import Database

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = Database(Path(sys.argv[1]), memory=1 << 20, write_buffer=1 << 16)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # RocksDB meets it as it meets a disk that is full
try:
    for number in range(10_000):
        database.write([(b"%06d" % number, os.urandom(1000))])
except CheckpointError as error:
    print(error)
database.close()
print(Path(sys.argv[1]).exists())
"""


def test_a_disk_that_takes_no_more_state_is_told_with_the_fix_and_the_database_still_closes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "db")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    told, exists = ended.stdout.splitlines()
    assert "could not be written" in told and "state.backend.rocksdb.localdir" in told
    assert exists == "False"

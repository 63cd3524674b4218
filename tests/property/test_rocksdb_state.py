"""State in RocksDB is state on the heap, whatever is done to it, snapshotted, and restored at another parallelism."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wiesel.common import Time, Types
from wiesel.core.contracts import KeptFile
from wiesel.core.key_groups import key_group_function, key_group_range
from wiesel.core.state import ListStateDescriptor, MapStateDescriptor, StateTtlConfig, ValueStateDescriptor
from wiesel.core.windows import TimeWindow
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.state.rocksdb import expiry
from wiesel.state.rocksdb.backend import RocksDBKeyedStateBackend
from wiesel.testing.clock import ManualClock

GROUPS = 16
GROUP_OF = key_group_function(Types.PICKLED_BYTE_ARRAY(), GROUPS)
KEYS: list[Any] = ["a", "b", "", 1, -5, 10**30, True, 1.0, None, b"a", ("a", 1), ("a", True), [1], {"x": 1}, "\ud800"]
OPERATIONS = ["set", "clear", "add", "change", "put", "remove", "window", "leave", "timer", "tidy", "wait", "snapshot"]

steps = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, len(KEYS) - 1), st.integers(0, 3))


class Pair:
    """The same state twice."""

    def __init__(self, directory: Path, name: str, clock: ManualClock, expires: bool) -> None:
        self.directory = directory
        self.expires = expires
        self.heap = HeapKeyedStateBackend(GROUP_OF, clock)
        self.rocksdb = RocksDBKeyedStateBackend(GROUP_OF, directory / name, clock, memory=1 << 20, write_buffer=1 << 16)

    def ask(self, operation: str, key: Any, number: int) -> tuple[Any, Any]:
        theirs, ours = (apply(b, operation, key, number, self.expires) for b in (self.heap, self.rocksdb))
        return theirs, ours

    def snapshot(self) -> tuple[list[bytes], list[bytes], dict[str, Path]]:
        """Take both; what is done to the database before its files are gathered must not be in them."""
        theirs, mine = self.heap.snapshot(), self.rocksdb.snapshot()
        pieces = list(theirs.slices())
        ours = list(mine.slices())
        self.ask("set", "a", 99)
        self.rocksdb.tidy()
        files = kept_in(Path(tempfile.mkdtemp(dir=self.directory)), mine)
        mine.release()
        return pieces, ours, files


def kept_in(directory: Path, snapshot: Any) -> dict[str, Path]:
    def keep(name: str, path: Path, known: KeptFile | None) -> KeptFile:
        shutil.copyfile(path, directory / name)
        return KeptFile(name, 0, "")

    return {file.name: directory / file.name for file in snapshot.files(keep)}


def apply(backend: Any, operation: str, key: Any, number: int, expires: bool) -> Any:
    backend.set_current_key(key)
    descriptors: tuple[Any, Any, Any] = (
        ValueStateDescriptor("value", Types.PICKLED_BYTE_ARRAY()),
        ListStateDescriptor("list", Types.LONG()),
        MapStateDescriptor("map", Types.LONG(), Types.LONG()),
    )
    for descriptor in descriptors if expires else ():
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.milliseconds(10)).build())
    value, elements, entries = map(backend.state, descriptors)
    contents = backend.internal_state("_contents")
    window = TimeWindow(number, number + 10)
    if operation == "set":
        value.update([number])
    elif operation == "clear":
        value.clear()
    elif operation == "change" and value.value() is not None:
        value.value().append(number)
        value.update(value.value())
    elif operation == "add":
        elements.add(number)
    elif operation == "put":
        entries.put(number, number * 2)
    elif operation == "remove":
        entries.remove(number)
    elif operation == "window":
        contents.put(window, [*(contents.get(window) or ()), number])
    elif operation == "leave":
        contents.remove(window)
    elif operation == "timer":
        backend.timers().register_event_time(None, number)
    windows = [contents.get(TimeWindow(n, n + 10)) for n in range(4)]
    return value.value(), sorted(elements.get()), sorted(entries.items()), windows, backend.next_event_time()


@pytest.mark.parametrize("expires", [False, True], ids=["for ever", "expiring"])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    histories=st.lists(st.lists(steps, max_size=30), min_size=1, max_size=4),
    parallelisms=st.lists(st.integers(1, 4), min_size=4, max_size=4),
)
def test_rocksdb_holds_what_the_heap_holds(
    expires: bool, histories: Sequence[Any], parallelisms: Sequence[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expiry, "_AT_ONCE", 1)  # clean up at every opportunity
        check(expires, histories, parallelisms)


def check(expires: bool, histories: Sequence[Any], parallelisms: Sequence[int]) -> None:
    directory, clock = Path(tempfile.mkdtemp()), ManualClock(1000)
    pairs = [Pair(directory, "0-0", clock, expires)]
    try:
        for number, (history, parallelism) in enumerate(zip(histories, parallelisms, strict=False)):
            before = len(pairs)
            for operation, key_number, argument in history:
                key = KEYS[key_number]
                pair = pairs[owner(key, before)]
                if operation == "tidy":
                    for table in pair.rocksdb._on_disk.values():
                        table.store.flush()
                        if argument:
                            table.store.forget()
                    pair.rocksdb.tidy()
                elif operation == "wait":
                    clock.advance(4 * argument)
                elif operation == "snapshot":
                    pair.snapshot()
                else:
                    theirs, ours = pair.ask(operation, key, argument)
                    assert theirs == ours
            snapshots = [pair.snapshot() for pair in pairs]
            for pair in pairs:
                pair.rocksdb.close()
            pairs = [Pair(directory, f"{number + 1}-{subtask}", clock, expires) for subtask in range(parallelism)]
            for subtask, pair in enumerate(pairs):
                groups = None if parallelism == before else key_group_range(subtask, GROUPS, parallelism)
                for pieces, ours, files in snapshots if groups is not None else [snapshots[subtask]]:
                    pair.heap.restore(pieces, groups)
                    pair.rocksdb.restore(ours, groups, files)
            for key in KEYS:
                theirs, ours = pairs[owner(key, parallelism)].ask("look", key, 0)
                assert theirs == ours
    finally:
        for pair in pairs:
            pair.rocksdb.close()
        shutil.rmtree(directory)


def owner(key: Any, parallelism: int) -> int:
    group = GROUP_OF(key)
    return next(s for s in range(parallelism) if group in key_group_range(s, GROUPS, parallelism))

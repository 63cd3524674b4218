"""Windows whose contents are in RocksDB, read from its files at every element: the window tests that restart most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import test_window_operator as windows
from tests.unit.window_harness import WindowHarness
from wiesel.state.rocksdb import backend as rocksdb


@pytest.fixture(autouse=True)
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[rocksdb.RocksDBKeyedStateBackend] = []

    def new_backend(harness: WindowHarness) -> rocksdb.RocksDBKeyedStateBackend:
        place = tmp_path / f"db-{len(made)}"
        made.append(rocksdb.RocksDBKeyedStateBackend(lambda key: 0, place, memory=1 << 20, write_buffer=1 << 16))
        return made[-1]

    monkeypatch.setattr(WindowHarness, "new_backend", new_backend)
    monkeypatch.setattr(rocksdb, "_CACHED_BYTES", -1)  # nothing is kept in the cache from one element to the next
    yield
    for backend in made:
        backend.close()
    assert made, "the harness asked for a backend"


test_restored_windows_go_on_as_if_nothing_had_happened = windows.test_restored_windows_go_on_as_if_nothing_had_happened
test_timer_of_a_session_that_was_merged_away_does_nothing = (
    windows.test_timer_of_a_session_that_was_merged_away_does_nothing
)
test_sessions_merge_when_an_element_joins_them = windows.test_sessions_merge_when_an_element_joins_them
test_late_element_reopens_a_session_within_allowed_lateness = (
    windows.test_late_element_reopens_a_session_within_allowed_lateness
)
test_sliding_count_window_fires_only_when_full = windows.test_sliding_count_window_fires_only_when_full

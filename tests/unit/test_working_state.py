"""State on disk that an incarnation left: a start removes it and never takes it for its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.counting import CountingJob, counted, finish, values_of
from wiesel.cluster.driver import JobDriver
from wiesel.state import WORKING_STATE

pytest.importorskip("rocksdict")

ROCKSDB = {"state.backend.type": "rocksdb"}


class Killed:
    """A job whose working database is as it would be after SIGKILL, in a process whose id the next start has again."""

    def __init__(self, directory: Path, settings: dict[str, str]) -> None:
        self.job = CountingJob(directory, settings={**ROCKSDB, **settings})
        self.left = directory / "left"

    def place(self) -> Path:
        """Where the next start has its working state."""
        configured = self.job.settings.get("state.backend.rocksdb.localdir")
        uuid = json.loads((self.job.path / "_store").read_text())["uuid"]
        return self.job.path / WORKING_STATE if configured is None else Path(configured) / f"wiesel-{uuid[:12]}"

    def die_after(self, count: int) -> None:
        def act(driver: JobDriver) -> None:
            self.job.publish(count)
            self.job.wait_until(self.copy)
            driver.cancel()

        self.job.run_and(act)
        shutil.rmtree(self.place(), ignore_errors=True)
        shutil.copytree(self.left, self.place())

    def copy(self) -> bool:
        """Copy the running job's database; false when a file of it went away meanwhile."""
        shutil.rmtree(self.left, ignore_errors=True)
        try:
            shutil.copytree(self.place(), self.left)
        except (shutil.Error, FileNotFoundError):
            return False
        return any(self.left.rglob("MANIFEST-*"))

    def files_left(self) -> list[Path]:
        return [path for path in self.place().rglob("*") if path.is_file()]


@pytest.fixture(params=["job directory", "localdir"])
def killed(request: Any, tmp_path: Path) -> Killed:
    own = {"state.backend.rocksdb.localdir": str(tmp_path / "fast disk")} if request.param == "localdir" else {}
    return Killed(tmp_path, own)


@pytest.mark.parametrize("truncated", [False, True])
def test_a_start_with_the_process_id_of_a_killed_one_does_not_find_its_database(
    killed: Killed, truncated: bool
) -> None:
    killed.die_after(60)
    assert (killed.place() / f"2-0-0-{os.getpid()}" / "CURRENT").exists()
    if truncated:
        for file in killed.files_left():
            os.truncate(file, file.stat().st_size // 2)
    finish(killed.job, resume=True)
    assert values_of(killed.job) == counted(range(120))
    assert killed.files_left() == []


def test_a_job_that_begins_anew_does_not_count_on_from_a_database_that_was_left(killed: Killed) -> None:
    killed.die_after(60)
    killed.job.sink.published.clear()
    finish(killed.job, fresh=True)
    assert values_of(killed.job) == counted(range(120))


def test_a_job_without_checkpoints_has_its_state_among_temporary_files_to_itself_and_leaves_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr("wiesel.state.rocksdb.backend._WAITING_BYTES", 1)  # written out at once
    job = CountingJob(tmp_path, settings=ROCKSDB)
    del job.settings["execution.checkpointing.interval"]
    job.sink.transactional = False
    modes: list[int] = []

    def act(driver: JobDriver) -> None:
        job.source.allow(60)
        job.wait_until(lambda: any(place.rglob("CURRENT")))
        modes.extend(path.stat().st_mode & 0o777 for path in place.iterdir())
        job.source.allow(120)

    job.run_and(act)
    assert values_of(job) == counted(range(120))
    assert modes == [0o700]
    assert list(place.iterdir()) == []

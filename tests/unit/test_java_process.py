"""The lock that says whether a server lives, and signals: with small real processes in place of the server."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiesel.java import process

LOCK = "server.lock"
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)
OBEYS_SIGTERM = "import time; print(flush=True); time.sleep(60)"


class Lives:
    """Starts processes that inherit the lock of a directory, as a broker does, and leaves none behind."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.children: list[subprocess.Popen[bytes]] = []

    def start(self, program: str) -> subprocess.Popen[bytes]:
        lock = process.LifeLock(self.directory / LOCK)
        assert lock.acquire()
        log = self.directory / "server.log"
        command = [sys.executable, "-c", program]
        child = process.spawn(command, os.environ, self.directory, log, lock.descriptor)
        lock.close()
        self.children.append(child)
        while not log.read_bytes():  # it has set its signals up when it has printed
            assert child.poll() is None
        return child


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    lives = Lives(tmp_path)
    yield lives
    for child in lives.children:
        child.kill()
        child.wait()


def test_an_empty_directory_has_no_living_broker_and_looking_creates_nothing(tmp_path):
    assert not process.is_held(tmp_path / LOCK)
    assert not process.is_held(tmp_path / "missing" / LOCK)
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_held_as_long_as_the_process_lives_and_not_longer(lives, tmp_path):
    child = lives.start(OBEYS_SIGTERM)
    assert process.is_held(tmp_path / LOCK)
    assert not process.LifeLock(tmp_path / LOCK).acquire()
    child.kill()
    child.wait()
    assert not process.is_held(tmp_path / LOCK)


def test_the_process_has_a_session_of_its_own_and_a_private_log(lives, tmp_path):
    child = lives.start(OBEYS_SIGTERM)
    assert os.getsid(child.pid) == child.pid
    assert stat.S_IMODE((tmp_path / "server.log").stat().st_mode) == 0o600


def test_files_that_the_process_makes_are_private(lives, tmp_path):
    lives.start("import time; open('made', 'w'); " + OBEYS_SIGTERM)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_a_process_that_obeys_ends_by_itself(lives, tmp_path):
    child = lives.start(OBEYS_SIGTERM)
    assert process.end(child.pid, tmp_path / LOCK, child, grace_seconds=30)
    assert child.returncode == -15


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(lives, tmp_path):
    child = lives.start(IGNORES_SIGTERM)
    assert not process.end(child.pid, tmp_path / LOCK, child, grace_seconds=0.05)
    assert child.returncode == -9


def test_without_grace_it_is_killed_at_once(lives, tmp_path):
    child = lives.start(OBEYS_SIGTERM)
    assert not process.end(child.pid, tmp_path / LOCK, child, grace_seconds=0)
    assert child.returncode == -9


def test_a_process_id_from_an_earlier_life_is_never_signalled(lives, tmp_path):
    (tmp_path / "other").mkdir()
    stranger = lives.start(OBEYS_SIGTERM)
    process.end(stranger.pid, tmp_path / "other" / LOCK, None, grace_seconds=1)
    assert stranger.poll() is None


def test_a_lock_file_that_was_deleted_meanwhile_is_not_taken_for_the_current_one(tmp_path):
    first, second = process.LifeLock(tmp_path / LOCK), process.LifeLock(tmp_path / LOCK)
    assert first.acquire()
    (tmp_path / LOCK).unlink()
    assert second.acquire()
    first.close()
    assert not process.LifeLock(tmp_path / LOCK).acquire()
    second.close()

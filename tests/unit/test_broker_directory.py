"""The directory of one broker: private, and removed without touching anything else."""

import stat
from pathlib import Path

import pytest

from wiesel.broker import stop_broker
from wiesel.broker.directory import BrokerDirectory, BrokerState
from wiesel.broker.errors import BrokerConfigurationError

STATE = BrokerState(1234, "127.0.0.1:9092", "4.3.1")


@pytest.fixture
def home(tmp_path: Path) -> BrokerDirectory:
    home = BrokerDirectory(tmp_path / "some" / "kafka")
    home.create()
    home.lock.touch()
    home.prepare("a=b\n")
    home.write_state(STATE)
    return home


def test_directories_are_0700_and_files_0600(home):
    assert stat.S_IMODE(home.root.stat().st_mode) == stat.S_IMODE(home.temporary.stat().st_mode) == 0o700
    for path in (home.properties, home.root / "broker.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_state_is_read_as_it_was_written_and_gone_when_cleared(home):
    assert home.read_state() == STATE
    home.clear_state()
    assert home.read_state() is None


def test_the_log_of_the_previous_start_is_kept_beside_the_new_one(home):
    home.log.write_text("why it failed\n")
    home.prepare("a=b\n")
    assert not home.log.exists()
    assert (home.root / "server.log.1").read_text() == "why it failed\n"


def test_a_directory_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(BrokerConfigurationError, match="holds other things"):
        BrokerDirectory(tmp_path).create()


def test_a_directory_that_cannot_be_made_is_named_with_the_option(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerConfigurationError, match=r"cannot make the directory .*/file/kafka: .*--dir"):
        BrokerDirectory(tmp_path / "file" / "kafka").create()


def test_deleting_leaves_what_a_broker_did_not_make(home):
    (home.root / "notes.txt").write_text("mine")
    (home.data / "topic-0").mkdir(parents=True)
    home.delete()
    assert [path.name for path in home.root.iterdir()] == ["notes.txt"]


def test_deleting_all_that_is_there_removes_the_directory(home):
    home.delete()
    assert not home.root.exists()
    assert home.root.parent.exists()


def test_delete_is_refused_where_no_broker_ever_was(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(BrokerConfigurationError, match="no broker's directory, and was left alone"):
        stop_broker(tmp_path, delete=True)
    assert (tmp_path / "data").exists()


def test_the_end_of_the_log_is_shown(home):
    home.log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert home.log_tail(lines=2) == "line 98\nline 99"

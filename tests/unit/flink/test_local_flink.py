"""The local Flink's processes and directory, with small programs in the place of JobManager and TaskManager."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from wiesel.broker.probe import free_port, is_taken
from wiesel.flink.environment import FlinkEnvironment
from wiesel.flink.errors import FlinkConfigurationError, FlinkError
from wiesel.flink.local import LocalFlink, Wanted, stop_flink
from wiesel.flink.settings import cluster_settings, flatten
from wiesel.java.runtime import JavaRuntime

# Answers /overview with as many TaskManagers as have left a file.
JOBMANAGER = """
import http.server, json, os, pathlib, yaml
conf = yaml.safe_load(pathlib.Path(os.environ["FLINK_CONF_DIR"], "config.yaml").read_text())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        there = len(list(pathlib.Path(os.environ["FLINK_PID_DIR"]).glob("tm-*")))
        told = {"flink-version": "2.3.0", "taskmanagers": there, "slots-total": 2 * there, "slots-available": 2 * there}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({**told, "jobs-running": 0}).encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", conf["rest.port"]), Handler).serve_forever()
"""
SCRIPTS = {
    "jobmanager.sh": f'[ "$1" = start-foreground ] && exec {sys.executable} "$FLINK_HOME/bin/jobmanager.py"',
    "taskmanager.sh": 'touch "$FLINK_PID_DIR/tm-$$"; exec sleep 60',
}


@pytest.fixture
def environment(tmp_path: Path) -> FlinkEnvironment:
    home = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "pyflink"
    for folder in ("bin", "conf"):
        (home / folder).mkdir(parents=True)
    (home / "conf" / "config.yaml").write_text(
        "env:\n  java:\n    opts:\n      all: --add-opens=x\nrest:\n  port: 8081\n"
    )
    (home / "conf" / "log4j-console.properties").write_text("")
    (home / "bin" / "jobmanager.py").write_text(JOBMANAGER)
    for name, text in SCRIPTS.items():
        (home / "bin" / name).write_text(text)
    return FlinkEnvironment(tmp_path / "env", JavaRuntime(Path("/jdk/bin/java"), "17.0.1", "JAVA_HOME"), ())


def silent(_what: str, _done: int, _total: int) -> None:
    """No progress."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "flink"


@pytest.fixture
def start(environment: FlinkEnvironment, directory: Path) -> Iterator[Callable[..., LocalFlink]]:
    started: list[LocalFlink] = []

    def start(where: Path = directory, **wanted: Any) -> LocalFlink:
        started.append(LocalFlink.start(where, Wanted(**wanted), environment, silent))
        return started[-1]

    yield start
    for flink in started:
        flink.stop()


def test_it_runs_detached_is_found_again_and_nothing_of_it_stays(start, directory):
    flink = start(taskmanagers=2)
    pids = flink.processes
    assert list(pids) == ["jobmanager", "taskmanager-1", "taskmanager-2"]
    assert all(os.getsid(pid) == pid for pid in pids.values() if pid)
    found = LocalFlink.find(directory)
    assert found is not None
    assert (found.address, found.processes) == (flink.address, pids)
    assert found.overview().taskmanagers == 2
    flink.stop()
    assert LocalFlink.find(directory) is None
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


def test_starting_what_runs_finds_it_and_another_wish_is_refused(start, directory):
    flink = start()
    assert start().processes == flink.processes
    with pytest.raises(FlinkConfigurationError, match="wiesel flink down"):
        start(taskmanagers=2)
    with pytest.raises(FlinkConfigurationError, match="runs at"):
        start(port=free_port())


def test_taskmanagers_that_outlived_a_killed_jobmanager_are_ended_by_the_next_stop(start, directory):
    flink = start()
    pids = flink.processes
    os.kill(pids["jobmanager"] or 0, signal.SIGKILL)
    while flink.processes["jobmanager"] is not None:
        pass
    assert LocalFlink.find(directory) is None
    assert flink.processes["taskmanager-1"] is not None
    stop_flink(directory)
    assert flink.processes == {"jobmanager": None, "taskmanager-1": None}


def test_a_port_in_use_is_refused_before_anything_starts(start, directory):
    with start() as flink:
        port = int(flink.address.rpartition(":")[2])
        with pytest.raises(FlinkConfigurationError, match=f"port {port}"):
            start(directory.parent / "second", port=port)
    assert not is_taken("127.0.0.1", port)


def test_a_start_that_fails_shows_the_log_and_leaves_nothing_running(start, environment, directory):
    (environment.flink_home / "bin" / "taskmanager.sh").write_text("echo no memory for this; exit 3")
    with pytest.raises(FlinkError, match=r"taskmanager-1 ended with exit code 3(.|\n)*no memory for this"):
        start()
    assert LocalFlink.find(directory) is None


def test_a_directory_with_other_things_is_neither_used_nor_deleted(start, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FlinkConfigurationError, match="other things"):
        start(tmp_path)
    with pytest.raises(FlinkConfigurationError, match="left alone"):
        stop_flink(tmp_path, delete=True)
    assert (tmp_path / "mine.txt").exists()


def test_delete_removes_all_that_flink_made(start, directory):
    flink = start()
    flink.stop()
    stop_flink(directory, delete=True)
    assert not directory.exists()


def test_the_distributions_settings_stay_below_ours_and_the_users_win(tmp_path):
    nested = {"env": {"java": {"opts": {"all": "--add-opens=x"}}}, "rest": {"port": 8081}}
    settings = cluster_settings(
        nested, 9000, 9001, 4, tmp_path, {"taskmanager.numberOfTaskSlots": "8", "a b": 'c: "d"'}
    )
    assert settings["env.java.opts.all"] == "--add-opens=x"
    assert (settings["rest.port"], settings["jobmanager.rpc.port"]) == (9000, 9001)
    assert settings["taskmanager.numberOfTaskSlots"] == "8"
    assert flatten(nested) == {"env.java.opts.all": "--add-opens=x", "rest.port": 8081}


def test_the_written_configuration_is_yaml_with_the_same_values(start, directory):
    with start(overrides={"x": "a: 'b' #c"}):
        written = yaml.safe_load((directory / "conf" / "config.yaml").read_text())
    assert written["x"] == "a: 'b' #c"
    assert written["env.java.opts.all"] == "--add-opens=x"
    assert (directory / "conf" / "log4j-console.properties").exists()

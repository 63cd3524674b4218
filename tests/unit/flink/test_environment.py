"""The environment with PyFlink: its lock file, and what happens without a network. None is made here."""

import re
import sys
from pathlib import Path

import pytest

from wiesel.flink import environment
from wiesel.flink.client import FlinkLaunch, is_this_machine, run_on_flink
from wiesel.flink.environment import FLINK_VERSION, LOCK
from wiesel.flink.errors import FlinkConfigurationError, FlinkError, FlinkUnreachableError
from wiesel.java.lockfile import read_lock


def test_every_package_is_locked_with_hashes_and_names_no_registry():
    lines = LOCK.read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert f"apache-flink=={FLINK_VERSION} \\" in packages
    assert all(re.match(r"[a-z0-9-]+==[\w.]+ ", line) for line in packages)
    assert all("--hash=sha256:" in lines[lines.index(line) + 1] for line in packages)
    assert "://" not in LOCK.read_text()


def test_what_builds_packages_is_taken_out_of_the_lock_file_with_its_hashes():
    entry = environment._entry(
        "a==1 \\\n    --hash=sha256:1\nb==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n", "b"
    )
    assert entry == "b==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    assert environment._entry(LOCK.read_text(), "setuptools").startswith("setuptools==")


def test_the_kafka_connector_is_pinned():
    (jar,) = read_lock(environment._CONNECTORS)
    assert jar.coordinate == "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"


def test_an_environment_that_is_there_is_used_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    folder = environment.environment_folder()
    (folder / "lib" / "python3.11" / "site-packages" / f"apache_flink-{FLINK_VERSION}.dist-info").mkdir(parents=True)
    assert environment.pyflink(lambda what, *_: said.append(what)) == folder
    assert said == []


def test_where_pip_fails_its_reason_is_shown():
    with pytest.raises(FlinkError, match=r"(?s)installing x failed.*No matching distribution.*network"):
        environment.run_pip(
            Path(sys.executable), ["--no-index", "no-such-package-of-ours"], lambda *_: None, "installing x", 1
        )


def test_without_a_fitting_python_the_error_names_those_that_fit(monkeypatch):
    monkeypatch.setattr(environment, "PYTHON", (1, 2))
    with pytest.raises(FlinkConfigurationError, match=r"needs Python 3\.1 or 3\.2"):
        environment.find_python()


@pytest.mark.parametrize(
    ("cluster", "here"), [("127.0.0.1:8081", True), ("localhost:8081", True), ("192.0.2.7:8081", False)]
)
def test_only_a_loopback_address_is_this_machine(cluster, here):
    assert is_this_machine(cluster) is here


def test_a_cluster_that_does_not_answer_is_noticed_before_anything_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    launch = FlinkLaunch(tmp_path / "job.py", None, cluster="127.0.0.1:1")
    with pytest.raises(FlinkUnreachableError):
        run_on_flink(launch, lambda *_: pytest.fail("nothing is to be prepared"), lambda: None)
    assert list(tmp_path.iterdir()) == []

"""On which kind of filesystem a job directory is, and what follows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.support.sinks import PublishingSink
from wiesel.cluster import filesystem
from wiesel.cluster.filesystem import check_lockable, filesystem_of
from wiesel.common import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/share rw,relatime - nfs4 server:/export rw,vers=4.2
31 30 8:17 / /mnt/share/local rw,relatime - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/my\\040files rw - cifs //server/files rw
33 22 8:33 / /data rw - ext4 /dev/sdc1 rw
34 33 0:42 / /data rw - fuse.sshfs me@server: rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/job", "ext4"),
        ("/mnt/share/job", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/share/local/job", "xfs"),
        ("/mnt/my files/job", "cifs"),
        ("/data", "fuse.sshfs"),
    ],
)
def test_the_innermost_and_latest_mount_tells_the_kind(mounts: Path, path: str, kind: str) -> None:
    assert filesystem_of(Path(path), mounts) == kind


def test_nothing_is_said_where_the_system_has_no_list_of_mounts(tmp_path: Path) -> None:
    assert filesystem_of(tmp_path, tmp_path / "missing") is None
    check_lockable(tmp_path, exactly_once=True, mounts=tmp_path / "missing")


def test_an_exactly_once_job_on_a_network_filesystem_is_refused_with_the_fix(mounts: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\(nfs4\).*Set execution\.checkpointing\.dir to a local disk"):
        check_lockable(Path("/mnt/share/job"), exactly_once=True, mounts=mounts)


def test_another_job_there_is_warned_and_one_on_a_local_disk_is_not(
    mounts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        check_lockable(Path("/srv/job"), exactly_once=True, mounts=mounts)
        assert not caplog.records
        check_lockable(Path("/mnt/share/job"), exactly_once=False, mounts=mounts)
    assert "network filesystem (nfs4)" in caplog.text


def test_a_start_looks_at_the_directory_that_its_job_will_lock(
    tmp_path: Path, mounts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts.write_text("22 1 0:40 / / rw - nfs server:/ rw\n")
    monkeypatch.setattr(filesystem, "MOUNTS", mounts)
    configuration = Configuration()
    configuration.set_string("execution.checkpointing.dir", str(tmp_path / "checkpoints"))
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.from_collection([1]).sink_to(Sink(PublishingSink()))
    with pytest.raises(ConfigurationError, match=r"network filesystem \(nfs\)"):
        env.execute()
    assert not (tmp_path / "checkpoints").exists()

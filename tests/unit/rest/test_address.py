"""The control plane over TCP: off by default, for who has the token, and open to other machines with TLS only."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.unit.rest.views import StandingJob
from wiesel.cli.main import main
from wiesel.cluster.control_plane import serving
from wiesel.core import exit_codes
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.rest import server
from wiesel.rest.client import Address, FailedError, NoAnswerError, find_job, request
from wiesel.rest.token import TokenError, make_token, own_token_file, read_token


@pytest.fixture(autouse=True)
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@contextmanager
def served(job: StandingJob, caplog: pytest.LogCaptureFixture, **settings: str) -> Iterator[int]:
    """Serve a job on a free port and yield it; keys have underscores for dots, and for hyphens two."""
    with caplog.at_level("INFO", "wiesel.rest"), serving(job, configuration(settings)):
        (line,) = (record.getMessage() for record in caplog.records if record.getMessage().startswith("REST API"))
        yield int(line.rpartition(":")[2])


def configuration(settings: Mapping[str, str]) -> Configuration:
    made = Configuration()
    made.set_string("rest.bind-port", "21000-22000")  # the first that is free
    for key, value in settings.items():
        made.set_string(key.replace("__", "-").replace("_", "."), value)
    return made


def refused(said: str, **settings: str) -> None:
    with pytest.raises(ConfigurationError, match=said), serving(StandingJob(), configuration(settings)):
        pass


def answered(port: int, method: str = "GET", path: str = "/jobs", body: object = None, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    status = connection.getresponse().status
    connection.close()
    return status


def bearer() -> str:
    return f"Bearer {read_token(own_token_file())}"


def test_no_port_is_opened_unless_one_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), serving(StandingJob(), Configuration()):
        pass
    assert not [record for record in caplog.records if "REST API" in record.getMessage()]
    assert not own_token_file().exists()


@pytest.mark.parametrize("path", ["/jobs", "/metrics", "/nothing", "/jobs/job-1/config"])
def test_nothing_is_said_without_the_token_not_even_that_there_is_nothing(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    job = StandingJob()
    with served(job, caplog) as port:
        token = read_token(own_token_file())
        for wrong in ("", "Bearer", "Bearer ", f"Basic {token}", f"Bearer {token[:-1]}", f"Bearer {token}x", token):
            assert answered(port, path=path, Authorization=wrong) == 401, wrong
        assert answered(port, path=path) == 401
        assert answered(port, "PATCH", "/jobs/job-1?mode=cancel") == 401
        assert answered(port, path=path, Authorization=f"Bearer {token}") == (404 if path == "/nothing" else 200)
    assert job.asked == []


def test_pages_of_browsers_other_names_and_forms_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    job = StandingJob()
    with served(job, caplog, rest_address="jobs.example.org") as port:
        asked = {"Authorization": bearer()}
        assert answered(port, Host=f"evil.example.org:{port}", **asked) == 421
        assert answered(port, Host=f"jobs.example.org:{port}", **asked) == 200
        assert answered(port, Host="localhost", **asked) == 200
        assert answered(port, Origin="http://localhost", **asked) == 403
        stop = ("POST", "/jobs/job-1/stop", {"drain": False})
        assert answered(port, *stop, Content_Type="text/plain", **asked) == 415
        assert job.asked == []
        assert answered(port, *stop, Content_Type="application/json", **asked) == 202


def test_the_clients_of_the_command_line_find_the_job_by_its_address(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    job = StandingJob()
    with served(job, caplog) as port:
        assert main(["jobs", "--address", f"127.0.0.1:{port}"]) == exit_codes.OK
        assert json.loads(capsys.readouterr().out)["jid"] == "job-1"
        assert main(["checkpoints", "my", "--address", f"localhost:{port}"]) == exit_codes.OK
        capsys.readouterr()
        assert main(["job", "other", "--address", f"localhost:{port}"]) == exit_codes.FAILED
        assert f"at localhost:{port}. Running: job-1." in capsys.readouterr().err


def test_a_wrong_token_is_told_and_a_token_goes_to_no_other_machine_in_clear_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.token"
    make_token(other)
    with served(StandingJob(), caplog) as port:
        asked = ["jobs", "--address", f"127.0.0.1:{port}", "--token-file", str(other)]
        assert main(asked) == exit_codes.FAILED
        assert "Send the job's token" in capsys.readouterr().err
    assert main(["jobs", "--address", "http://job.example.org:8081"]) == exit_codes.USAGE
    assert "not sent to job.example.org in clear text" in capsys.readouterr().err
    assert main(["jobs", "--address", "nowhere"]) == exit_codes.USAGE
    assert main(["jobs", "--token-file", str(other)]) == exit_codes.USAGE


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rest_bind__address": "0.0.0.0"}, "open to other machines, so it needs TLS"),
        ({"rest_bind__address": "example.org"}, "open to other machines, so it needs TLS"),
        ({"wiesel_rest_key__file": "key.pem"}, "belong together"),
        (
            {"wiesel_rest_certificate__file": "no.pem", "wiesel_rest_key__file": "no.pem"},
            "cannot use certificate no.pem",
        ),
    ],
)
def test_an_address_that_others_could_reach_or_listen_in_on_is_refused(settings: dict[str, str], said: str) -> None:
    refused(said, **settings)


def test_who_speaks_too_slowly_loses_his_place(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LONGEST", 0.3)
    with served(StandingJob(), caplog) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(0.05)
        sent, deadline = 0, time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, f"{sent} bytes were taken"
            try:
                slow.sendall(b"G")
                sent += 1
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        monkeypatch.setattr(server, "LONGEST", 60.0)  # this one may take its time
        assert answered(port, Authorization=bearer()) == 200


def test_a_port_that_is_taken_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with served(StandingJob(), caplog) as port:
        refused(r"No port of rest\.bind-port", rest_bind__port=str(port))


def test_with_tls_an_address_of_any_kind_is_served_to_clients_that_know_the_authority(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("job")
    files = {"wiesel_rest_certificate__file": str(issued.certificate), "wiesel_rest_key__file": str(issued.key)}
    refused(r"0\.0\.0\.0 is no name that clients can use", rest_bind__address="0.0.0.0", **files)
    with served(StandingJob(), caplog, rest_bind__address="0.0.0.0", rest_address="127.0.0.1", **files) as port:
        token = read_token(own_token_file())
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        assert find_job("job-1", Address("127.0.0.1", port, token, trusting)).get("/checkpoints")
        with pytest.raises(NoAnswerError, match="CERTIFICATE_VERIFY_FAILED"):
            request(Address("127.0.0.1", port, token, ssl.create_default_context()), "GET", "/jobs")
        with pytest.raises(NoAnswerError):
            request(Address("127.0.0.1", port, token), "GET", "/jobs")
        assert find_job("job-1", Address("127.0.0.1", port, token, trusting)).name == "my job", "it goes on serving"


def test_over_the_network_savepoints_go_below_the_configured_directory_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job, root = StandingJob(), tmp_path / "savepoints"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with served(job, caplog, execution_checkpointing_savepoint__dir=str(root)) as port:
        client = find_job("job-1", Address("127.0.0.1", port, read_token(own_token_file())))
        for target in (tmp_path, root / "..", root / "link" / "x", "/etc", 7, {"a": 1}):
            told = target if isinstance(target, int | dict) else str(target)
            for where, field in (("/stop", "targetDirectory"), ("/savepoints", "target-directory")):
                with pytest.raises(FailedError, match=r"go below execution.*savepoint-dir only"):
                    client.ask("POST", where, {field: told})
        assert job.asked == []
        client.ask("POST", "/savepoints", {"target-directory": str(root / "mine")})
        client.ask("POST", "/stop", {"targetDirectory": None})
    assert job.asked == [("savepoint", root / "mine", False), ("stop", None, False)]


# ---------------------------------------------------------------------------------------------------- the token


def test_a_token_is_made_once_and_private() -> None:
    path = own_token_file()
    make_token(path)
    token = read_token(path)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    make_token(path)
    assert read_token(path) == token and len(token) >= 32
    assert [p.name for p in path.parent.iterdir()] == ["rest.token"]


def test_a_token_that_others_can_read_a_link_and_what_is_no_token_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    make_token(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    path.chmod(0o640)
    written: dict[str, Any] = {"short": "abc", "empty": "", "two": f"{'a' * 40}\n{'b' * 40}", "odd": "ä" * 40}
    for name, text in written.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "bytes").write_bytes(b"\xff" * 40)
    (tmp_path / "bytes").chmod(0o600)
    for wrong in (path, link, tmp_path, tmp_path / "nothing", *(tmp_path / name for name in (*written, "bytes"))):
        with pytest.raises(TokenError, match=str(wrong)):
            read_token(wrong)
    refused("chmod 600", wiesel_rest_token__file=str(path))


def test_a_token_is_in_no_text_of_its_address() -> None:
    assert "secret" not in repr(Address("localhost", 1, "secret")) + str(Address("localhost", 1, "secret"))

"""The socket of a job and the HTTP spoken on it: private, bounded, and indifferent to garbage."""

from __future__ import annotations

import json
import os
import pickle
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.running_job import until
from tests.unit.rest.views import StandingJob
from wiesel.rest import client, registry, server
from wiesel.rest.client import Address, FailedError, NoAnswerError, NoSuchJobError, find_job, request, running_jobs
from wiesel.rest.http import MAX_BODY
from wiesel.rest.registry import RegistryError
from wiesel.rest.routes import Routes
from wiesel.rest.server import MAX_CONNECTIONS, HttpServer


@pytest.fixture(autouse=True)
def runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


Serve = Callable[[StandingJob], Path]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[HttpServer] = []

    def start(job: StandingJob, **options: object) -> Path:
        listener, path = registry.listen()
        servers.append(HttpServer(listener, Routes(job), **options))  # type: ignore[arg-type]
        return path

    yield start
    for one in servers:
        one.close()


def spoken(path: Path, sent: bytes) -> bytes:
    """What the server says to raw bytes, up to its end of the connection."""
    with registry.connect(path, 60.0) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


# ------------------------------------------------------------------------------------------------ the registry


def test_a_socket_is_for_its_owner_only_and_so_is_its_directory(serve: Serve) -> None:
    path = serve(StandingJob())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_directory_that_others_can_enter_is_refused(runtime_directory: Path) -> None:
    (runtime_directory / "wiesel").mkdir(mode=0o755)
    with pytest.raises(RegistryError, match="mode 0700"):
        registry.listen()
    with pytest.raises(RegistryError, match="mode 0700"):
        list(registry.sockets())


def test_a_link_in_the_place_of_the_directory_is_refused(runtime_directory: Path) -> None:
    elsewhere = runtime_directory / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (runtime_directory / "wiesel").symlink_to(elsewhere)
    with pytest.raises(RegistryError, match="must be a directory"):
        registry.listen()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no way to a long path")
def test_a_path_too_long_for_a_socket_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert len(str(serve(StandingJob()))) > 108
    assert [job.job_id for job in running_jobs()] == ["job-1"]


def test_sockets_of_dead_processes_are_removed_and_those_of_other_machines_left(runtime_directory: Path) -> None:
    listener, path = registry.listen()
    listener.close()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = path.rename(path.with_name(f"{path.name.split('-')[0]}-{gone.pid}-1.sock"))
    other = path.with_name(f"00000000-{gone.pid}-1.sock")
    other.touch()
    assert running_jobs() == []
    assert not dead.exists()
    assert other.exists()


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert registry.peer_uid(ours) == os.getuid()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_is_turned_away_even_where_modes_let_him_in(monkeypatch: pytest.MonkeyPatch) -> None:
    from wiesel.cluster.control_plane import serving
    from wiesel.core.configuration import Configuration

    # Not below tmp_path, which other users cannot enter.
    with tempfile.TemporaryDirectory() as open_directory:
        Path(open_directory).chmod(0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", open_directory)
        with serving(StandingJob(), Configuration()):
            (path,) = (path for path, _ in registry.sockets())
            path.parent.chmod(0o777)
            path.chmod(0o666)
            assert _answered_as(0, path)
            assert not _answered_as(65534, path)


def _answered_as(uid: int, path: Path) -> bool:
    program = (
        "import os, socket, sys; os.setuid(int(sys.argv[1])); s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[2]); s.sendall(b'GET /jobs HTTP/1.0\\r\\n\\r\\n'); print(len(s.recv(100)))"
    )
    command = [sys.executable, "-c", program, str(uid), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0 or "BrokenPipe" in run.stderr or "ConnectionReset" in run.stderr, run.stderr
    return run.stdout.strip() not in ("", "0")


# ------------------------------------------------------------------------------------------------------- HTTP


def test_a_job_is_found_by_id_name_prefix_and_pid(serve: Serve) -> None:
    serve(StandingJob())
    for text in ("job-1", "my job", "job", "my", str(os.getpid())):
        assert find_job(text).job_id == "job-1"
    with pytest.raises(NoSuchJobError, match=r"No job 'other' is running here\. Running: job-1\."):
        find_job("other")
    serve(StandingJob())
    with pytest.raises(NoSuchJobError, match="Name one by its pid"):
        find_job("my")


def test_who_names_a_pid_does_not_wait_for_other_jobs(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(StandingJob())
    silent, path = registry.listen()  # nobody will ever answer there
    path.rename(path.with_name(f"{path.name.split('-')[0]}-1-1.sock"))
    asked: list[Path | Address] = []

    def ask(place: Path | Address, *arguments: object) -> object:
        asked.append(place)
        return request(place, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "request", ask)
    with silent:
        assert find_job(str(os.getpid())).job_id == "job-1"
    assert len(asked) == 1


def test_a_refusal_comes_out_in_its_own_words(serve: Serve) -> None:
    serve(StandingJob())
    with pytest.raises(FailedError, match="Where is it to go"):
        find_job("job-1").ask("POST", "/savepoints", {})


def test_a_socket_without_a_listener_is_no_answer(runtime_directory: Path) -> None:
    with pytest.raises(NoAnswerError):
        request(runtime_directory / "nothing.sock", "GET", "/jobs")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff garbage \r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]",
        b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + b"[" * 40_000,
        b"DELETE /jobs/job-1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["noise", "length", "too-long", "negative", "chunked", "no-object", "nested", "method", "long-path"],
)
def test_what_is_no_request_is_answered_by_an_error_and_does_no_harm(serve: Serve, sent: bytes) -> None:
    job = StandingJob()
    path = serve(job)
    said = spoken(path, sent)
    assert b"rror" in said, said
    assert b" 200 " not in said
    assert job.asked == []
    assert find_job("job-1").get("/checkpoints")


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("evil",)


def test_a_pickle_is_not_loaded(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, payload = serve(StandingJob()), pickle.dumps(Evil())
    spoken(path, payload)
    head = b"POST /jobs/job-1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(payload)
    assert b" 400 " in spoken(path, head + payload)
    assert not (tmp_path / "evil").exists()


def test_connections_are_bounded_and_free_again_when_they_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIMEOUT", 60.0)  # none is given up before all are there
    path = serve(StandingJob())
    idle = []
    for _ in range(MAX_CONNECTIONS):
        connection = registry.connect(path, 60.0)
        idle.append(connection)
        connection.sendall(b"GET /jobs HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(10), "each is served"
    with registry.connect(path, 60.0) as turned_away:
        assert turned_away.recv(10) == b""
    for connection in idle:
        connection.close()
    # Whoever asks again in a moment is served.
    until(lambda: is_served(path))


def is_served(path: Path) -> bool:
    try:
        return bool(request(path, "GET", "/jobs"))
    except NoAnswerError:
        return False


def test_a_name_that_is_not_this_machines_is_not_served(serve: Callable[..., Path]) -> None:
    path = serve(StandingJob(), hosts=frozenset({"localhost", "127.0.0.1"}))
    for host, status in ((b"localhost:9249", b"200"), (b"127.0.0.1", b"200"), (b"evil.example", b"421"), (b"", b"421")):
        said = spoken(path, b"GET /jobs HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
        assert said.split(b" ", 2)[1] == status, host


def test_head_and_keep_alive_work_as_in_http(serve: Serve) -> None:
    path = serve(StandingJob())
    two = spoken(path, b"HEAD /jobs HTTP/1.1\r\nHost: x\r\n\r\nGET /jobs HTTP/1.1\r\nHost: x\r\n\r\n")
    first, second = two.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"\r\n\r\n")
    assert json.loads(second.split(b"\r\n\r\n", 1)[1])["jobs"][0]["id"] == "job-1"

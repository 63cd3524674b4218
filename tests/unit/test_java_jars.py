"""Pinned jars, fetched with the real jgo from a repository on this machine."""

import gc
import hashlib
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from wiesel.java.errors import JarError
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import LockedJar


class Repository:
    """A Maven repository: files served over HTTP, and a log of the jars that were asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        repository = self

        class Handler(SimpleHTTPRequestHandler):
            def log_request(self, code: object = "-", size: object = "-") -> None:
                if self.path.endswith(".jar"):
                    repository.asked.append(self.path.rsplit("/", 1)[1])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def publish(self, name: str, content: bytes) -> LockedJar:
        folder = self.root / "org" / "test" / name / "1.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
        return LockedJar(f"org.test:{name}:1.0", hashlib.sha512(content).hexdigest())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    (tmp_path / "remote").mkdir()
    repository = Repository(tmp_path / "remote")
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ntest = {repository.url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    thread = Thread(target=repository.server.serve_forever)
    thread.start()
    yield repository
    repository.server.shutdown()
    repository.server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


class Reports(list[tuple[str, int, int]]):
    def __call__(self, what: str, done: int, total: int) -> None:
        self.append((what, done, total))


def jars_in(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {".lock"}


def test_missing_jars_are_fetched_in_lock_order_and_private(repository, cache):
    locked = [repository.publish(name, name.encode() * 9) for name in ("zebra", "ape")]
    reports = Reports()
    paths = fetch_jars(locked, cache, reports)
    assert [path.read_bytes() for path in paths] == [b"zebra" * 9, b"ape" * 9]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert [(done, total) for _, done, total in reports] == [(0, 2), (1, 2), (2, 2)]
    assert jars_in(cache) == {jar.file_name for jar in locked}


def test_what_the_cache_holds_is_not_fetched_again(repository, cache):
    locked = [repository.publish("one", b"1")]
    fetch_jars(locked, cache, Reports())
    reports = Reports()
    fetch_jars([*locked, repository.publish("two", b"2")], cache, reports)
    assert repository.asked == ["one-1.0.jar", "two-1.0.jar"]
    assert reports[-1][1:] == (1, 1)


def test_a_jar_that_was_changed_in_the_cache_is_an_error_and_is_not_replaced(repository, cache):
    locked = [repository.publish("one", b"as locked")]
    (path,) = fetch_jars(locked, cache, Reports())
    path.write_bytes(b"As locked")
    with pytest.raises(JarError, match=r"org\.test_one_1\.0\.jar is not org\.test:one:1\.0 as locked.*delete the file"):
        fetch_jars(locked, cache, Reports())
    assert path.read_bytes() == b"As locked"


def test_a_link_in_place_of_a_jar_is_not_followed(repository, cache, tmp_path):
    locked = repository.publish("one", b"as locked")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"as locked")
    (cache / locked.file_name).symlink_to(elsewhere)
    with pytest.raises(JarError, match=r"cannot read .*org\.test_one_1\.0\.jar"):
        fetch_jars([locked], cache, Reports())


def test_a_repository_that_serves_other_bytes_is_refused_and_nothing_is_kept(repository, cache):
    good = repository.publish("good", b"good")
    locked = repository.publish("one", b"as locked")
    repository.publish("one", b"something else")
    with pytest.raises(JarError, match=r"org\.test:one:1\.0 came with another SHA-512"):
        fetch_jars([good, locked], cache, Reports())
    assert jars_in(cache) <= {good.file_name}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_jar_that_the_repository_lacks_is_named(repository, cache):
    with pytest.raises(JarError, match=r"cannot download org\.test:none:1\.0"):
        fetch_jars([LockedJar("org.test:none:1.0", "0" * 128)], cache, Reports())
    assert jars_in(cache) == set()
    gc.collect()  # jgo does not close the answer that it has no use for; the warning belongs to this test


def test_a_repository_that_does_not_answer_is_an_error_that_says_so(repository, cache, monkeypatch, tmp_path):
    locked = repository.publish("one", b"1")
    settings = tmp_path / "nobody.conf"
    settings.write_text("[repositories]\ntest = http://127.0.0.1:1\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    with pytest.raises(JarError, match=r"cannot download org\.test:one:1\.0.*Check the network"):
        fetch_jars([locked], cache, Reports())


def test_processes_that_start_at_once_fetch_each_jar_once(repository, cache):
    locked = [repository.publish(name, name.encode()) for name in ("one", "two", "three")]
    program = (
        "import sys; from pathlib import Path; from wiesel.java.jars import fetch_jars\n"
        "from wiesel.java.lockfile import LockedJar\n"
        "jars = [LockedJar(*one.split(' ')) for one in sys.argv[2:]]\n"
        "fetch_jars(jars, Path(sys.argv[1]), lambda *_: None)\n"
    )
    arguments = [f"{jar.coordinate} {jar.sha512}" for jar in locked]
    command = [sys.executable, "-c", program, str(cache), *arguments]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert sorted(repository.asked) == ["one-1.0.jar", "three-1.0.jar", "two-1.0.jar"]

"""A real PostgreSQL for tests: that of Maven Central for every machine, and the installed one (Debian's) as well."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import pwd
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from wiesel.java.cache import cache_directory
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import LockedJar

_VERSION: Final = "17.6.0"
#: The SHA-512 of the archive for each platform, by what Python calls system and machine.
_ARCHIVES: Final = {
    ("Linux", "x86_64"): (
        "linux-amd64",
        "5b0e0a82fdc2cdecbc06bea672b5f070dcb3f850aa299f74ad63662edd50d96862951a0f74e9e203353e94c2d78ee135dce62551762a9b26"
        "28fb1bdc7a087875",
    ),
    ("Linux", "aarch64"): (
        "linux-arm64v8",
        "b610bee4a54d1e7e61e4824bd7792093a8b935f22739cd5e7975a5b378ca4c2c8f01fa28cd86afc733a6d73895bda7bcbcd53a6dac1e4641"
        "0321aadcbf99ba4d",
    ),
    ("Darwin", "x86_64"): (
        "darwin-amd64",
        "5f430ddaf0a01f36825c79c0c71f5b4549b30284316c57e732b68213ce68a8815b6e769b23b1fe2bec5cb3f2b4d2d36dbe05595f142678d8"
        "e2f37e688d6137bd",
    ),
    ("Darwin", "arm64"): (
        "darwin-arm64v8",
        "e418bd1e86ec04c358cac57638c23e9d754d010e264dcd2cb57c5159c55da5598e54044eb5d4985d0c9887a325a1162c12c76f84ba58a078"
        "d2cb98626584e3ed",
    ),
}
_START_SECONDS: Final = 60


def kinds() -> list[str]:
    """Which servers there are on this machine, or can be: ``fetched``, and ``installed`` if one is."""
    return ["fetched", *(["installed"] if _installed() else [])]


@contextlib.contextmanager
def running(kind: str) -> Iterator[int]:
    """The port of a new database on this machine, whose superuser ``wiesel`` needs no password; gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="wiesel-postgresql-"))
    try:
        directory.chmod(0o755)
        programs = _installed() if kind == "installed" else _fetched(directory / "postgresql")
        assert programs is not None
        home = directory / "home"
        home.mkdir()
        user = _user()
        if user is not None:
            shutil.chown(home, user)
        as_user: dict[str, Any] = {"user": user, "extra_groups": []} if user else {}
        settings = ["--no-sync", "--auth=trust", "--username=wiesel", "--locale=C", "--encoding=UTF8"]
        subprocess.run(
            [programs / "initdb", *settings, "data"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=home,
            timeout=100,
            **as_user,
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        options = ["-D", "data", "-p", str(port), "-k", str(home), "-h", "127.0.0.1", "-F"]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([programs / "postgres", *options], stderr=log, cwd=home, **as_user)
        try:
            _wait(process, port, home / "log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=60)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def connect(port: int) -> Any:
    """A connection of the superuser's, past everything of ours."""
    import psycopg

    return psycopg.connect(host="127.0.0.1", port=port, dbname="postgres", user="wiesel", autocommit=True)


def _installed() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _fetched(home: Path) -> Path:
    """Unpack what Maven Central has, verified, to where another user may run it; the cache is its owner's alone."""
    here = (platform.system(), platform.machine())
    if here not in _ARCHIVES:
        pytest.skip(f"no PostgreSQL is published for {' '.join(here)}")
    name, digest = _ARCHIVES[here]
    jar = LockedJar(f"io.zonky.test.postgres:embedded-postgres-binaries-{name}:{_VERSION}", digest)
    (path,) = fetch_jars([jar], cache_directory("postgresql"), lambda *_: None)
    with zipfile.ZipFile(path) as archive:
        inner = next(entry for entry in archive.namelist() if entry.endswith(".txz"))
        packed = io.BytesIO(archive.read(inner))
    with tarfile.open(fileobj=packed, mode="r:xz") as tar:
        tar.extractall(home, filter="data")
    return home / "bin"


def _user() -> str | None:
    """As whom to run it: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            connect(port).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.05)

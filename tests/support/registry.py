"""A real schema registry for tests: Apicurio from Maven Central, which speaks Confluent's API; up in five seconds."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wiesel.java.cache import cache_directory, exclusive
from wiesel.java.errors import JavaError
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import LockedJar
from wiesel.java.runtime import find_java

APICURIO = LockedJar(
    "io.apicurio:apicurio-registry-app:3.3.3:all",
    "dd081e0bb14bb94ac9806eb768667b10a7292a8a75a81cbbfec1c99d920bc35697fc5e567d74b7bf94a0105648b90480842822959815d2965e0d"
    "c6c9524c92d3",
    "tar.gz",
)
MINIMUM_JAVA = 21
START_SECONDS = 60


class SchemaRegistry:
    """A running registry; ``url`` is Confluent's API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/apis/ccompat/v7"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """As another client would ask, past everything of ours."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/vnd.schemaregistry.v1+json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return bool(self.call("GET", "/subjects") == [])
        except (OSError, ValueError):
            return False


def installed() -> Path:
    """The unpacked server in the cache, downloaded and verified when it is not there."""
    cache = cache_directory("apicurio")
    (archive,) = fetch_jars([APICURIO], cache, lambda *_: None)
    home = cache / archive.name.removesuffix(".tar.gz")
    with exclusive(cache):
        if not home.exists():
            scratch = Path(tempfile.mkdtemp(prefix=".unpack-", dir=cache))
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
            scratch.rename(home)
    return home


@contextlib.contextmanager
def running(directory: Path, *options: str) -> Iterator[SchemaRegistry]:
    """A registry on a free port that keeps everything in memory; skips the test, and says why, if there can be none."""
    try:
        home, java = installed(), find_java(MINIMUM_JAVA)
    except JavaError as error:
        pytest.skip(f"no schema registry: {error}")
    ports = _free_ports(2)
    settings = {
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": ports[0],
        "quarkus.management.host": "127.0.0.1",
        "quarkus.management.port": ports[1],
        "java.io.tmpdir": directory,
    }
    jvm = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
    command = [str(java.executable), *jvm, *(f"-D{key}={value}" for key, value in settings.items()), *options]
    registry, log = SchemaRegistry(ports[0]), directory / "registry.log"
    environment = {key: value for key, value in os.environ.items() if key != "JDK_JAVA_OPTIONS"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "-jar", str(home / "quarkus-run.jar")],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not registry.answers():
            assert process.poll() is None, f"the registry ended:\n{log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"the registry does not answer:\n{log.read_text()[-2000:]}"
            time.sleep(0.1)
        yield registry
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]

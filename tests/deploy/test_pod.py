"""The pod of deploy/kubernetes/wiesel.yaml, run here: its command, its probes, and the SIGTERM that ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_manifests import stateful_set
from wiesel.core import exit_codes

JOB = """
from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(0, 10**12), WatermarkStrategy.no_watermarks(), "numbers")
numbers.filter(lambda number: number < 0).print()
env.execute("Orders")
"""
SECONDS = 90.0


class Pod:
    """The container's process, and its probes, with the pod's folders below one of the test's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (self.container,) = stateful_set()["spec"]["template"]["spec"]["containers"]
        for mount in self.container["volumeMounts"]:
            (root / mount["mountPath"].lstrip("/")).mkdir(parents=True)
        (root / "secrets" / "checkpoint.key").write_text("x" * 64)
        (root / "job.py").write_text(JOB)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = self._here([*self.container["command"], *self.container["args"]])
        self.process = subprocess.Popen(
            command, cwd=self.root, env=self._variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def probe(self, name: str) -> int:
        command = self._here(self.container[name]["exec"]["command"])
        return subprocess.run(
            command, env=self._variables(), capture_output=True, timeout=SECONDS, check=False
        ).returncode

    def end(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, said

    def _here(self, command: list[str]) -> list[str]:
        assert command[0] == "wiesel"
        paths = "|".join(mount["mountPath"] for mount in self.container["volumeMounts"])
        moved = [re.sub(rf"(?:{paths})/", lambda found: f"{self.root}{found[0]}", word) for word in command[1:]]
        return [sys.executable, "-m", "wiesel.cli.main", *moved]

    def _variables(self) -> dict[str, str]:
        own: list[dict[str, Any]] = self.container["env"]
        return {**os.environ, **{entry["name"]: f"{self.root}{entry['value']}" for entry in own}}


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    pod = Pod(tmp_path)
    yield pod
    if pod.process is not None and pod.process.poll() is None:
        pod.process.kill()
        pod.process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_pods_command_runs_its_probes_agree_and_sigterm_leaves_a_checkpoint_to_go_on_from(pod):
    assert pod.probe("startupProbe") != 0, "nothing runs yet"
    pod.start()
    deadline = time.monotonic() + SECONDS
    while pod.probe("startupProbe") != 0:
        assert pod.process.poll() is None, pod.process.communicate()[0]
        assert time.monotonic() < deadline
    assert pod.probe("livenessProbe") == 0
    assert pod.probe("readinessProbe") == 0
    code, said = pod.end()
    assert code == exit_codes.TERMINATED, said
    assert list((pod.root / "data" / "checkpoints" / "orders").rglob("_metadata")), said
    assert pod.probe("livenessProbe") != 0

"""The commands of container file and unit, as they stand there, in a clean folder with only what they install."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.test_manifests import DEPLOY
from tests.deploy.test_pod import JOB, SECONDS
from wiesel.core import exit_codes

#: Most of it is for the packages, which come over the network.
pytestmark = pytest.mark.timeout(600)

ROOT = DEPLOY.parent
CONTAINERFILE = (DEPLOY / "container" / "Containerfile").read_text()
UNIT = (DEPLOY / "systemd" / "wiesel@.service").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment in which the container file's RUN has installed Wiesel, from a wheel of this checkout."""
    folder = tmp_path_factory.mktemp("image")
    wheel: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        ROOT,
    ]
    subprocess.run(wheel, check=True, timeout=120, capture_output=True)
    (built,) = folder.glob("wiesel-*.whl")
    (folder / "requirements.txt").write_text(f"wiesel @ {built.as_uri()}\n")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=120)
    (install,) = re.findall(r"^RUN (pip install .*)$", CONTAINERFILE, re.MULTILINE)
    variables = clean({"PATH": f"{folder / 'venv' / 'bin'}:{os.defpath}"})
    answer = subprocess.run(
        shlex.split(install), cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return folder / "venv" / "bin"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.py").write_text(JOB)
    return tmp_path


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """What a container or a unit has: nothing of this process's environment but what finds packages."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    return {**kept, **variables}


def run_and_end(command: list[str], job: str, folder: Path, variables: Mapping[str, str]) -> int:
    """Start a job, end it by SIGTERM when it says that it is ready, and return its exit code."""
    process = subprocess.Popen(
        command, cwd=folder, env=clean(variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + SECONDS
        health = [command[0], "health", job, "--ready"]
        while subprocess.run(health, env=clean(variables), capture_output=True, check=False).returncode != 0:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "not ready"
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert list(folder.rglob("_metadata")), said
    return process.returncode


@pytest.mark.slow
def test_the_images_command_runs_a_job_with_what_its_own_steps_installed(installed, folder):
    words = [
        json.loads(re.findall(rf"^{name} (\[.*\])$", CONTAINERFILE, re.MULTILINE)[0]) for name in ("ENTRYPOINT", "CMD")
    ]
    command = [word.replace("file:///data", (folder / "data").as_uri()) for part in words for word in part]
    assert command[0] == "wiesel"
    command[0] = str(installed / "wiesel")
    (folder / "run").mkdir(mode=0o700)
    variables = {"PATH": f"{installed}:{os.defpath}", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run")}
    assert run_and_end(command, "job-1", folder, variables) == exit_codes.TERMINATED


@pytest.mark.slow
def test_the_units_command_runs_a_job_and_goes_on_when_it_is_started_again(installed, folder):
    settings = dict(re.findall(r"^(ExecStart|Environment|SuccessExitStatus)=(.*)$", UNIT, re.MULTILINE))
    text = {
        name: value.replace("%i", "orders")
        .replace("/opt/wiesel/bin", str(installed))
        .replace("/var/lib/", f"{folder}/lib/")
        .replace("/run/", f"{folder}/run/")
        .replace("$ARGUMENTS", "")
        for name, value in settings.items()
    }
    variables = dict(part.split("=", 1) for part in text["Environment"].split())
    Path(variables["HOME"]).mkdir(parents=True)
    Path(variables["XDG_RUNTIME_DIR"]).mkdir(parents=True, mode=0o700)
    command = shlex.split(text["ExecStart"])
    for _ in range(2):
        code = run_and_end(command, "orders", folder, {"PATH": os.defpath, **variables})
        assert str(code) in text["SuccessExitStatus"].split()

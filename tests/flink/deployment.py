"""The FlinkDeployment of deploy/ in Flink's application mode, without Kubernetes: a cluster of the job's own.

The operator starts the image's entry point for `kubernetes-application`; here it is `standalone-job.sh`, which is the
same but for who starts the TaskManagers. Entry class, jar, arguments and configuration are the file's; the image's
paths, the broker's name and the storage of checkpoints are this machine's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2
from typing import Any, Final

import yaml

from tests.flink.engines import ROOT
from wiesel.broker.probe import free_port
from wiesel.flink.directory import FlinkDirectory
from wiesel.flink.environment import FlinkEnvironment
from wiesel.flink.local import process_variables
from wiesel.flink.settings import cluster_settings

MANIFEST: Final = ROOT / "deploy" / "kubernetes" / "flink.yaml"
_USRLIB: Final = "/opt/flink/usrlib"
_SECONDS: Final = 90


def run_application(
    script: Path, arguments: list[str], servers: str, environment: FlinkEnvironment, scratch: Path
) -> None:
    """Run a bounded script to its end as the deployment's job.py; raises RuntimeError if it fails."""
    spec = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["spec"]
    usrlib = scratch / "usrlib"
    usrlib.mkdir(parents=True)
    copy2(script, usrlib / "job.py")
    home = FlinkDirectory(scratch / "application")
    home.create()
    conf = environment.flink_home / "conf"
    distribution = yaml.safe_load((conf / "config.yaml").read_text(encoding="utf-8"))
    slots = int(spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"])
    own = _configuration(spec["flinkConfiguration"], environment, home.checkpoints)
    home.prepare(conf, cluster_settings(distribution, free_port(), free_port(), slots, home.root, own))
    job = spec["job"]
    jars = [environment.flink_home / "opt" / Path(job["jarURI"]).name, *environment.connectors]
    given = [word.replace(_USRLIB, str(usrlib)).replace("kafka:9092", servers) for word in job["args"]]
    # An option behind the jars ends their list.
    command = ["standalone-job.sh", "start-foreground", "--jars", ",".join(jar.as_uri() for jar in jars)]
    command += ["--job-classname", job["entryClass"], *given, *arguments]
    with (
        _process(home, environment, "taskmanager", ["taskmanager.sh", "start-foreground"]),
        _process(home, environment, "application", command) as application,
    ):
        code = application.wait(_SECONDS)
    if code != 0:
        raise RuntimeError(f"the application ended with {code}:\n{home.log_tail('application', 60)}")


def _configuration(given: dict[str, str], environment: FlinkEnvironment, storage: Path) -> dict[str, str]:
    own = {
        "parallelism.default": given["taskmanager.numberOfTaskSlots"],  # one TaskManager
        "user.artifacts.base-dir": str(storage.parent / "artifacts"),
    }
    for key, value in given.items():
        if key.startswith("high-availability"):
            continue  # Kubernetes' own
        if key in ("python.executable", "python.client.executable"):
            own[key] = str(environment.python)
        else:
            own[key] = storage.as_uri() if value.startswith("s3://") else value
    return own


@contextmanager
def _process(
    home: FlinkDirectory, environment: FlinkEnvironment, name: str, command: list[str]
) -> Iterator[subprocess.Popen[Any]]:
    script, *rest = command
    with home.log(name).open("wb") as log:
        process = subprocess.Popen(
            ["bash", environment.flink_home / "bin" / script, *rest],
            env=process_variables(home, environment),
            cwd=home.root,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(_SECONDS)

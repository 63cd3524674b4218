"""What a local Flink is configured with: the distribution's own settings, ours for one laptop, the user's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


def cluster_settings(
    distribution: Mapping[str, Any], port: int, rpc_port: int, slots: int, root: Path, overrides: Mapping[str, str]
) -> dict[str, Any]:
    """The keys of `config.yaml`, flat.

    Args:
        distribution: what `config.yaml` of the distribution holds, nested; its options for Java's modules are needed.
        port: of the REST API.
        rpc_port: at which TaskManagers find the JobManager.
        slots: of each TaskManager.
        root: the local Flink's directory.
        overrides: the user's keys, which win.
    """
    ours = {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": rpc_port,
        "jobmanager.bind-host": HOST,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": port,
        "rest.bind-port": str(port),
        "taskmanager.numberOfTaskSlots": slots,
        # Flink's defaults of 1.6 and 1.7 GB are for servers.
        "jobmanager.memory.process.size": "832m",
        "taskmanager.memory.process.size": "1088m",
        "taskmanager.memory.managed.size": "160m",
        "io.tmp.dirs": str(root / "tmp"),
        "execution.checkpointing.dir": (root / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (root / "checkpoints").as_uri(),
    }
    return {**flatten(distribution), **ours, **overrides}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as Flink names them: joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat

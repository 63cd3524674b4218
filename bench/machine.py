"""On what the figures were taken."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def describe_machine(kafka_version: str | None, load_before: float) -> dict[str, object]:
    """Processor, system and versions, and how busy the machine was with other things."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_before": round(load_before, 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "wiesel": version("wiesel"),
        "confluent-kafka": version("confluent-kafka"),
        "kafka": kafka_version,
    }


def processor() -> str:
    """The processor's name as the kernel tells it, else the architecture."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()

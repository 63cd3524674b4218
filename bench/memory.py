"""Memory and CPU time of a process and everything that it started, as /proc tells them (Linux)."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        for children in PROC.glob(f"{parent}/task/*/children"):
            found.extend(int(child) for child in children.read_text().split())
    return found


def tree_rss_mb(pid: int) -> float:
    """Resident memory; pages that the processes share count once each process."""
    page = os.sysconf("SC_PAGE_SIZE")
    pages = sum(int((PROC / str(one) / "statm").read_text().split()[1]) for one in tree(pid))
    return pages * page / 1024**2


def tree_cpu_seconds(pid: int) -> float:
    """User and system time so far, without children that have ended."""
    ticks = 0
    for one in tree(pid):
        # The second field is the program's name in brackets and may hold spaces.
        fields = (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")

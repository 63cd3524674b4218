"""Whether a job directory is on another machine: its lock then may not keep a second copy of the job out.

``flock`` on a network filesystem is emulated, leased or only this machine's, by kind and mount options; rule 6 of the
exactly-once protocol (``docs/adr/0001``) cannot rest on that.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog

_log = logging.getLogger("wiesel.cluster")
#: Linux only; elsewhere nothing is known.
MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "lustre",
        "beegfs",
        "glusterfs",
        "ncpfs",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.gcsfuse",
        "fuse.rclone",
        "fuse.goofys",
        "fuse.glusterfs",
        "fuse.mount-s3",
        "fuse.juicefs",
    ]
)


def check_lockable(directory: Path, exactly_once: bool, mounts: Path | None = None) -> None:
    """Refuse a directory on a network filesystem for a job that publishes exactly once, and warn of it for others.

    Args:
        directory: the job directory, which need not exist.
        exactly_once: whether a second copy of the job would do harm outside of it.
        mounts: the kernel's list of mounts, if another than this machine's.

    Raises:
        ConfigurationError: it is refused.
    """
    kind = filesystem_of(directory, mounts)
    if kind not in _NETWORK:
        return
    what = (
        f"{directory} is on a network filesystem ({kind}), where the lock that keeps a second copy of the job out does "
        f"not hold between machines. Set {catalog.CHECKPOINTS_DIRECTORY.key} to a local disk, or to a volume that only "
        f"one machine mounts at a time"
    )
    if exactly_once:
        raise ConfigurationError(f"{what}: this job has a sink that publishes exactly once.")
    _log.warning("%s.", what)


def filesystem_of(path: Path, mounts: Path | None = None) -> str | None:
    """Return the kind of filesystem that a path is on, as the kernel names it; None where that cannot be known."""
    try:
        lines = (mounts or MOUNTS).read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    path = path.resolve()
    kind, longest = None, -1
    for line in lines:
        mount, _, source = line.partition(" - ")
        point = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), mount.split()[4]))
        # A later mount at the same place hides the earlier one.
        if len(point.parts) >= longest and path.is_relative_to(point):
            kind, longest = source.split()[0], len(point.parts)
    return kind

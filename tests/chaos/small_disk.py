"""A disk of a few megabytes for a job directory, which can be full or gone: a tmpfs in a mount namespace of our own."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_INSIDE: Final = "WIESEL_CHAOS_OWN_MOUNTS"
#: RocksDB sets four megabytes aside for each manifest.
_SIZE: Final = "48m"


def enter_own_mounts(module: str, arguments: Sequence[str]) -> bool:
    """Start this program again where it may mount disks that nobody else sees; return whether that is so.

    Args:
        module: the program.
        arguments: of it.
    """
    alone = ["unshare", "--map-root-user", "--mount"]
    inside = _INSIDE in os.environ
    if not inside and shutil.which("unshare") and subprocess.run([*alone, "true"], check=False).returncode == 0:
        os.environ[_INSIDE] = "1"
        os.execvp(alone[0], [*alone, sys.executable, "-m", module, *arguments])
    return inside


class SmallDisk:
    """The disk; it can be mounted once."""

    def __init__(self, directory: Path) -> None:
        self._kept = directory
        self._place: Path | None = None

    def mount(self, place: Path) -> None:
        """Make it the content of ``place``."""
        self._kept.mkdir(parents=True)
        place.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", self._kept)
        self._place = place
        self.come_back()

    def fill(self, spare: int) -> None:
        """Leave no more room than ``spare`` bytes."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        os.truncate(self._ballast, max(0, self._ballast.stat().st_size - spare))

    def make_room(self) -> None:
        """Undo ``fill``."""
        self._ballast.unlink(missing_ok=True)

    def go_away(self) -> None:
        """Be unmounted, though files on it are open; the empty directory below comes to light."""
        assert self._place is not None
        _run("umount", "--lazy", self._place)

    def come_back(self) -> None:
        """Be mounted again with all that was on it."""
        assert self._place is not None
        _run("mount", "--bind", self._kept, self._place)

    def found_below(self) -> list[Path]:
        """Return what lies in the directory below the disk, which must be away."""
        assert self._place is not None
        return sorted(self._place.rglob("*"))

    def unmount(self) -> None:
        """Give it up."""
        for place in (self._place, self._kept):
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)

    @property
    def _ballast(self) -> Path:
        return self._kept / "ballast"


def _run(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True)

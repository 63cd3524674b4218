"""A database's files as of a barrier, linked by whoever comes first: the I/O thread that gathers them, or the task's.

Until they are linked the database must stay as it is. The task's thread never waits for the other one to begin, which
may be long: what the snapshot has in front of its files is written by that very thread.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from wiesel.core.errors import CheckpointError
from wiesel.state.rocksdb.database import Database


class BarrierFiles:
    """The files of one snapshot.

    Args:
        database: whose; it must hold what is true at the barrier already.
        place: a directory for the links, which is this snapshot's alone.
    """

    def __init__(self, database: Database, place: Path) -> None:
        self._database = database
        self._place = place
        self._guard = threading.Lock()
        self._files: Sequence[Path] = ()
        self._error: Exception | None = None
        #: Whether the database may change.
        self.is_over = False

    def link(self) -> Sequence[Path]:
        """Return the files, linked now if they were not before.

        Raises:
            CheckpointError: the snapshot was given up.
            Exception: the database's own error when the files were linked, at every call.
        """
        with self._guard:
            if not self.is_over:
                try:
                    self._files = self._database.copy_by_links(self._place)
                except Exception as error:
                    self._error = error
                self.is_over = True
            if self._error is not None:
                raise self._error
            return self._files

    def link_early(self) -> None:
        """Link the files because the database has to change; an error is told to the one that gathers them."""
        try:
            self.link()
        except Exception:
            assert self._error is not None  # kept for the other thread

    def release(self) -> None:
        """Remove the links; what is not linked yet never will be."""
        with self._guard:
            if not self.is_over:
                self._error = CheckpointError("The snapshot was given up before its files were gathered.")
                self.is_over = True
            shutil.rmtree(self._place, ignore_errors=True)

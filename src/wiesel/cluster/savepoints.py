"""Savepoints of a running job as seen from outside: asked for by any thread, answered by a status or a future."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wiesel.cluster.options import JobOptions, local_path
from wiesel.cluster.start import Start
from wiesel.core.errors import CheckpointError, ConfigurationError
from wiesel.core.host import host
from wiesel.core.options import catalog, optional_value_of
from wiesel.runtime.checkpoint.manifest import CheckpointManifest

_log = logging.getLogger("wiesel.cluster")


class SavepointState(Enum):
    """How far a savepoint is (Flink: ``QueueStatus`` and the outcome of the asynchronous operation)."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class SavepointStatus:
    """One savepoint that was asked for.

    Args:
        trigger_id: what the request was given.
        state: how far it is.
        path: the directory of the complete savepoint.
        error: why there is none.
    """

    trigger_id: int
    state: SavepointState
    path: Path | None = None
    error: BaseException | None = None


class SavepointService:
    """Remembers all requests of one job and does the writing.

    Args:
        options: names the job and the default directory.
        start: where its checkpoints are; None when it keeps none.
    """

    def __init__(self, options: JobOptions, start: Start | None) -> None:
        self._options = options
        self._start = start
        self._guard = threading.Lock()
        self._targets: dict[int, Path] = {}
        self._results: dict[int, Future[Path]] = {}
        self._over = False

    def request(self, path: Path | None) -> int:
        """Note a request for a savepoint below ``path`` and return its trigger id; from any thread.

        Raises:
            ConfigurationError: no directory is given or configured, it cannot be written, or the job keeps no state.
        """
        target = self._target(path)
        with self._guard:
            trigger_id = len(self._results) + 1
            self._targets[trigger_id] = target
            self._results[trigger_id] = Future()
        if self._over:
            self.end()
        return trigger_id

    def _target(self, path: Path | None) -> Path:
        if self._start is None:
            raise ConfigurationError(
                "This job keeps no state that a savepoint could hold. Start it with checkpoints "
                f"(-c execution.checkpointing.interval=1min) or with -c {catalog.SAVEPOINT_DIRECTORY.key}=PATH."
            )
        if path is None:
            configured = optional_value_of(self._options.configuration, catalog.SAVEPOINT_DIRECTORY)
            if configured is None:
                raise ConfigurationError(
                    f"Where is the savepoint to go? Name a directory, or set {catalog.SAVEPOINT_DIRECTORY.key}."
                )
            path = local_path(configured)
        root = path.absolute()
        try:
            host().disk().make_directory(root)
        except OSError as error:
            raise ConfigurationError(
                f"The savepoint directory {root} cannot be written: {error.strerror or error}."
            ) from error
        return root / f"savepoint-{self._options.job_id}-{secrets.token_hex(6)}"

    def status(self, trigger_id: int) -> SavepointStatus:
        """Return how far a savepoint is; from any thread.

        Raises:
            KeyError: nobody was given this trigger id.
        """
        result = self._results[trigger_id]
        if not result.done():
            return SavepointStatus(trigger_id, SavepointState.IN_PROGRESS)
        error = result.exception()
        if error is not None:
            return SavepointStatus(trigger_id, SavepointState.FAILED, error=error)
        return SavepointStatus(trigger_id, SavepointState.COMPLETED, path=result.result())

    def result(self, trigger_id: int) -> Future[Path]:
        """Return the future of a savepoint's directory."""
        return self._results[trigger_id]

    def writing(self, trigger_id: int, manifest: CheckpointManifest) -> Callable[[], None]:
        """Return what writes the savepoint, to be run on an I/O thread."""
        start, target = self._start, self._targets[trigger_id]
        assert start is not None

        def write() -> None:
            try:
                start.storage.write_savepoint(manifest, target)
            except OSError as error:
                raise CheckpointError(
                    f"Savepoint {target} could not be written: {error.strerror or error} ({error.filename}). Make "
                    f"room there, or name another directory. The job's checkpoints are not harmed."
                ) from error

        return write

    def complete(self, trigger_id: int) -> None:
        """The savepoint exists."""
        _log.info("Savepoint %s is complete.", self._targets[trigger_id])
        self._results[trigger_id].set_result(self._targets[trigger_id])

    def decline(self, trigger_id: int, error: BaseException) -> None:
        """There will be none."""
        _log.warning("A savepoint was not taken: %s", error)
        self._results[trigger_id].set_exception(error)

    def end(self) -> None:
        """The job is over: answer every request that is still open."""
        with self._guard:
            self._over = True
            for result in self._results.values():
                if not result.done():
                    result.set_exception(CheckpointError("The job ended before the savepoint was taken."))

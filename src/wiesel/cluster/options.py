"""How a job is to be run, in one object: plain data from the API room, the command line and the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wiesel.cluster.batch import sorts_inputs
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.observer import JobObserver
from wiesel.core.options import catalog, is_set, optional_value_of, value_of
from wiesel.runtime.job_master.coordinator import CheckpointSettings

DEFAULT_CHECKPOINT_DIRECTORY = Path(".wiesel/checkpoints")


@dataclass(frozen=True, slots=True)
class JobOptions:
    """One start of one job.

    Args:
        job_id: names the job directory.
        configuration: the job's configuration, launch options already in it.
        resume: go on from the newest lineage's latest checkpoint.
        from_savepoint: start a new lineage from this checkpoint.
        fresh: start a new lineage although an unfinished one is there.
        allow_non_restored_state: drop state whose operator is gone.
        trust_pickle: load state of another installation.
        observers: told the job's figures while it runs.
        workers: number of worker processes; 0 runs all tasks in this one.
        handle_signals: stop at SIGINT and SIGTERM; only on the main thread.
    """

    job_id: str
    configuration: Configuration
    resume: bool = False
    from_savepoint: str | None = None
    fresh: bool = False
    allow_non_restored_state: bool = False
    trust_pickle: bool = False
    observers: tuple[JobObserver, ...] = ()
    workers: int = 0
    handle_signals: bool = False

    @property
    def job_directory(self) -> Path:
        """The directory that belongs to this job alone."""
        text = optional_value_of(self.configuration, catalog.CHECKPOINTS_DIRECTORY)
        return local_path(text) / self.job_id if text else DEFAULT_CHECKPOINT_DIRECTORY / self.job_id

    @property
    def has_configured_directory(self) -> bool:
        """Whether the user chose where checkpoints go."""
        return is_set(self.configuration, catalog.CHECKPOINTS_DIRECTORY)

    @property
    def deletes_checkpoints_on_cancellation(self) -> bool:
        """Whether checkpoints are of no use any more once the job was cancelled; only if the user says so."""
        retention = catalog.EXTERNALIZED_CHECKPOINT_RETENTION
        return value_of(self.configuration, retention) != "RETAIN_ON_CANCELLATION"

    def checkpoint_settings(self) -> CheckpointSettings:
        """Return the coordinator's settings."""
        read = self.configuration
        interval = optional_value_of(read, catalog.CHECKPOINTING_INTERVAL)
        only_final = sorts_inputs(read)
        return CheckpointSettings(
            interval_ms=None if only_final else interval or None,
            timeout_ms=value_of(read, catalog.CHECKPOINTING_TIMEOUT),
            min_pause_ms=value_of(read, catalog.CHECKPOINTING_MIN_PAUSE),
            tolerable_failures=value_of(read, catalog.TOLERABLE_FAILED_CHECKPOINTS),
            retained=value_of(read, catalog.NUM_RETAINED_CHECKPOINTS),
            only_final=only_final,
        )


def local_path(text: str) -> Path:
    """Return the local path of a checkpoint location, with or without ``file://``.

    Raises:
        ConfigurationError: it is in another kind of storage.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Path(text.removeprefix("file:")).expanduser()
    if scheme != "file":
        raise ConfigurationError(
            f"Checkpoints can only be kept on a local filesystem, not at {text!r}. "
            f"Use a path or file:///…, for example on a ReadWriteOnce volume."
        )
    return Path(rest)

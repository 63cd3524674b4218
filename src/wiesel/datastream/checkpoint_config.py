"""``CheckpointConfig``: the environment's checkpoint settings, kept in its configuration."""

from __future__ import annotations

import logging
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, is_set, optional_value_of, value_of
from wiesel.datastream.modes import CheckpointingMode, ExternalizedCheckpointRetention
from wiesel.datastream.old_settings import OldCheckpointSettings

__all__ = ["CheckpointConfig"]

_log = logging.getLogger("wiesel.datastream")
_UNALIGNED = catalog.UNALIGNED_CHECKPOINTS.key
_ALIGNED_TIMEOUT = "execution.checkpointing.aligned-checkpoint-timeout"
_FORCE_UNALIGNED = "execution.checkpointing.unaligned.forced"


class CheckpointConfig(OldCheckpointSettings):
    """Reads and writes checkpoint settings; times are milliseconds. Setters return the object, so they chain.

    Args:
        configuration: the environment's configuration.
    """

    DEFAULT_MODE = CheckpointingMode.EXACTLY_ONCE
    DEFAULT_TIMEOUT = 10 * 60 * 1000
    DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS = 0
    DEFAULT_MAX_CONCURRENT_CHECKPOINTS = 1

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def _set(self, key: str, value: Any) -> CheckpointConfig:
        self._configuration.set_string(key, str(value))
        return self

    def is_checkpointing_enabled(self) -> bool:
        """Whether checkpoints are taken."""
        return (optional_value_of(self._configuration, catalog.CHECKPOINTING_INTERVAL) or 0) > 0

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """Return the mode; AT_LEAST_ONCE while checkpointing is off, as in Flink."""
        if not self.is_checkpointing_enabled():
            return CheckpointingMode.AT_LEAST_ONCE
        return CheckpointingMode[value_of(self._configuration, catalog.CHECKPOINTING_MODE)]

    def set_checkpointing_mode(self, checkpointing_mode: CheckpointingMode) -> CheckpointConfig:
        """Set whether barriers are aligned; Wiesel always aligns them, which is the stronger promise."""
        return self._set(catalog.CHECKPOINTING_MODE.key, checkpointing_mode.name)

    def get_checkpoint_interval(self) -> int:
        """Return the interval, -1 when checkpointing is off."""
        return optional_value_of(self._configuration, catalog.CHECKPOINTING_INTERVAL) or -1

    def set_checkpoint_interval(self, checkpoint_interval: int) -> CheckpointConfig:
        """Take a checkpoint every ``checkpoint_interval`` milliseconds, at least 10."""
        if checkpoint_interval < 10:
            raise ConfigurationError(
                f"Checkpoint interval must be larger than or equal to 10 ms, got {checkpoint_interval}."
            )
        return self._set(catalog.CHECKPOINTING_INTERVAL.key, f"{checkpoint_interval} ms")

    def get_checkpoint_timeout(self) -> int:
        """Return after how long a checkpoint is given up."""
        return value_of(self._configuration, catalog.CHECKPOINTING_TIMEOUT)

    def set_checkpoint_timeout(self, checkpoint_timeout: int) -> CheckpointConfig:
        """Give a checkpoint up after ``checkpoint_timeout`` milliseconds, at least 10."""
        if checkpoint_timeout < 10:
            raise ConfigurationError(
                f"Checkpoint timeout must be larger than or equal to 10 ms, got {checkpoint_timeout}."
            )
        return self._set(catalog.CHECKPOINTING_TIMEOUT.key, f"{checkpoint_timeout} ms")

    def get_min_pause_between_checkpoints(self) -> int:
        """Return the rest between two checkpoints."""
        return value_of(self._configuration, catalog.CHECKPOINTING_MIN_PAUSE)

    def set_min_pause_between_checkpoints(self, min_pause_between_checkpoints: int) -> CheckpointConfig:
        """Rest at least so long between two checkpoints."""
        if min_pause_between_checkpoints < 0:
            raise ConfigurationError("Pause value must be zero or positive.")
        return self._set(catalog.CHECKPOINTING_MIN_PAUSE.key, f"{min_pause_between_checkpoints} ms")

    def get_max_concurrent_checkpoints(self) -> int:
        """Return how many checkpoints may be under way."""
        return value_of(self._configuration, catalog.MAX_CONCURRENT_CHECKPOINTS)

    def set_max_concurrent_checkpoints(self, max_concurrent_checkpoints: int) -> CheckpointConfig:
        """Set how many checkpoints may be under way; Wiesel takes one at a time."""
        if max_concurrent_checkpoints < 1:
            raise ConfigurationError("The maximum number of concurrent attempts must be at least one.")
        return self._set(catalog.MAX_CONCURRENT_CHECKPOINTS.key, max_concurrent_checkpoints)

    def is_fail_on_checkpointing_errors(self) -> bool:
        """Whether a single failed checkpoint fails the job."""
        return self.get_tolerable_checkpoint_failure_number() == 0

    def set_fail_on_checkpointing_errors(self, fail_on_checkpointing_errors: bool) -> CheckpointConfig:
        """Set whether a failed checkpoint fails the job (old name of the tolerable number)."""
        return self.set_tolerable_checkpoint_failure_number(0 if fail_on_checkpointing_errors else 2**31 - 1)

    def get_tolerable_checkpoint_failure_number(self) -> int:
        """Return how many checkpoints in a row may fail."""
        return value_of(self._configuration, catalog.TOLERABLE_FAILED_CHECKPOINTS)

    def set_tolerable_checkpoint_failure_number(self, tolerable_checkpoint_failure_number: int) -> CheckpointConfig:
        """Let so many checkpoints in a row fail before the job does."""
        if tolerable_checkpoint_failure_number < 0:
            raise ConfigurationError("The tolerable failure checkpoint number must be non-negative.")
        return self._set(catalog.TOLERABLE_FAILED_CHECKPOINTS.key, tolerable_checkpoint_failure_number)

    def is_externalized_checkpoints_enabled(self) -> bool:
        """Whether checkpoints outlive the job."""
        return self.get_externalized_checkpoint_retention() is not (
            ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS
        )

    def get_externalized_checkpoint_retention(self) -> ExternalizedCheckpointRetention | None:
        """Return what becomes of checkpoints when the job is cancelled."""
        if not is_set(self._configuration, catalog.EXTERNALIZED_CHECKPOINT_RETENTION):
            return ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS
        name = value_of(self._configuration, catalog.EXTERNALIZED_CHECKPOINT_RETENTION)
        return ExternalizedCheckpointRetention[name]

    def set_externalized_checkpoint_retention(
        self, retention_mode: ExternalizedCheckpointRetention
    ) -> CheckpointConfig:
        """Set what becomes of checkpoints when the job is cancelled."""
        return self._set(catalog.EXTERNALIZED_CHECKPOINT_RETENTION.key, retention_mode.name)

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether unaligned checkpoints were asked for."""
        return self._configuration.get_boolean(_UNALIGNED, False)

    def enable_unaligned_checkpoints(self, enabled: bool = True) -> CheckpointConfig:
        """Ask for unaligned checkpoints; Wiesel takes aligned ones and says so."""
        if enabled:
            _log.warning("Unaligned checkpoints are not available; aligned ones are taken instead.")
        return self._set(_UNALIGNED, str(enabled).lower())

    def disable_unaligned_checkpoints(self) -> CheckpointConfig:
        """Ask for aligned checkpoints, the default."""
        return self.enable_unaligned_checkpoints(False)

    def is_force_unaligned_checkpoints(self) -> bool:
        """Whether unaligned checkpoints were forced."""
        return self._configuration.get_boolean(_FORCE_UNALIGNED, False)

    def set_force_unaligned_checkpoints(self, force_unaligned_checkpoints: bool = True) -> CheckpointConfig:
        """Force unaligned checkpoints; without effect, as they are not available."""
        return self._set(_FORCE_UNALIGNED, str(force_unaligned_checkpoints).lower())

    def get_aligned_checkpoint_timeout(self) -> Any:
        """Return after how long an aligned checkpoint would become unaligned, a ``Duration``."""
        from wiesel.core.time import Duration

        return Duration.of_millis(self._configuration.get_integer(_ALIGNED_TIMEOUT, 0))

    def set_aligned_checkpoint_timeout(self, alignment_timeout: Any) -> CheckpointConfig:
        """Set after how long an aligned checkpoint would become unaligned; without effect."""
        return self._set(_ALIGNED_TIMEOUT, alignment_timeout.to_millis())

    get_alignment_timeout = get_aligned_checkpoint_timeout

    def set_alignment_timeout(self, alignment_timeout: Any) -> CheckpointConfig:
        """Old name of ``set_aligned_checkpoint_timeout``."""
        return self.set_aligned_checkpoint_timeout(alignment_timeout)

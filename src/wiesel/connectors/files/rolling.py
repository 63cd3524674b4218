"""When a part file is closed and the next one begun (Flink: ``RollingPolicy``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from wiesel.core.errors import ConfigurationError, UnsupportedError


class RollingPolicy:
    """Says when a part file is complete."""

    @staticmethod
    def default_rolling_policy(
        part_size: int = 1024 * 1024 * 128, rollover_interval: int = 60 * 1000, inactivity_interval: int = 60 * 1000
    ) -> DefaultRollingPolicy:
        """Return the policy by size and age.

        Args:
            part_size: bytes that a file has at most, but for its last record.
            rollover_interval: milliseconds after which a file is closed.
            inactivity_interval: milliseconds without a record after which a file is closed.
        """
        return DefaultRollingPolicy(part_size, rollover_interval, inactivity_interval)

    @staticmethod
    def on_checkpoint_rolling_policy() -> OnCheckpointRollingPolicy:
        """Return the policy that closes every file at every checkpoint."""
        return OnCheckpointRollingPolicy()

    def rolls_on_event(self, size: int) -> bool:
        """Whether a file of ``size`` bytes is complete before one more record."""
        raise UnsupportedError(f"{type(self).__name__} has no rolls_on_event()")

    def rolls_on_checkpoint(self, size: int) -> bool:
        """Whether a file of ``size`` bytes is complete at a checkpoint."""
        raise UnsupportedError(f"{type(self).__name__} has no rolls_on_checkpoint()")

    def rolls_on_time(self, age_ms: int, idle_ms: int) -> bool:
        """Whether a file is complete by its age and the time since its last record."""
        return False

    def get_java_object(self) -> NoReturn:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the rolling policy itself.")


@dataclass(frozen=True)
class DefaultRollingPolicy(RollingPolicy):
    """By size and age; see ``RollingPolicy.default_rolling_policy``."""

    part_size: int
    rollover_interval: int
    inactivity_interval: int

    def __post_init__(self) -> None:
        for name in ("part_size", "rollover_interval", "inactivity_interval"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"default_rolling_policy: {name} must be above 0, got {getattr(self, name)}.")

    def rolls_on_event(self, size: int) -> bool:
        """See the base class."""
        return size > self.part_size

    def rolls_on_checkpoint(self, size: int) -> bool:
        """See the base class."""
        return size > self.part_size

    def rolls_on_time(self, age_ms: int, idle_ms: int) -> bool:
        """See the base class."""
        return age_ms >= self.rollover_interval or idle_ms >= self.inactivity_interval


class OnCheckpointRollingPolicy(RollingPolicy):
    """Closes every file at every checkpoint, the only policy of bulk formats."""

    def rolls_on_event(self, size: int) -> bool:
        """See the base class."""
        return False

    def rolls_on_checkpoint(self, size: int) -> bool:
        """See the base class."""
        return True

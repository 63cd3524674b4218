"""Settings that PyFlink 1.x made by methods which 2.x removed; each still works and says what replaces it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wiesel.compat.old_spellings import OLD_MEMBERS
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog
from wiesel.datastream.modes import ExternalizedCheckpointRetention, TimeCharacteristic

if TYPE_CHECKING:
    from wiesel.common.restart_strategy import RestartStrategyConfiguration
    from wiesel.datastream.checkpoint_config import CheckpointConfig
    from wiesel.datastream.checkpoint_storage import CheckpointStorage
    from wiesel.datastream.state_backend import StateBackend
    from wiesel.datastream.stream_execution_environment import StreamExecutionEnvironment

_log = logging.getLogger("wiesel.datastream")


def _note(member: str) -> None:
    _log.warning("%s() was %s.", member.rpartition(".")[2], OLD_MEMBERS[member])


class OldEnvironmentSettings:
    """What ``StreamExecutionEnvironment`` had in 1.x."""

    _configuration: Configuration

    def set_state_backend(self, state_backend: StateBackend) -> StreamExecutionEnvironment:
        """Choose a state backend, and the directories that it names."""
        from wiesel.datastream.state_backend import StateBackend

        _note("StreamExecutionEnvironment.set_state_backend")
        if not isinstance(state_backend, StateBackend):
            raise TypeError(f"set_state_backend() takes a StateBackend, got {type(state_backend).__name__}.")
        state_backend.write_to(self._configuration)
        return self  # type: ignore[return-value]

    def set_restart_strategy(self, restart_strategy_configuration: RestartStrategyConfiguration) -> None:
        """Choose what happens after a failure."""
        from wiesel.common.restart_strategy import RestartStrategyConfiguration

        _note("StreamExecutionEnvironment.set_restart_strategy")
        if not isinstance(restart_strategy_configuration, RestartStrategyConfiguration):
            raise TypeError(
                f"set_restart_strategy() takes what RestartStrategies returns, got "
                f"{type(restart_strategy_configuration).__name__}."
            )
        restart_strategy_configuration.apply_to(self._configuration)

    def set_stream_time_characteristic(self, characteristic: TimeCharacteristic) -> None:
        """Choose nothing: each operator says by itself which time it goes by."""
        if not isinstance(characteristic, TimeCharacteristic):
            raise TypeError(f"Expected a TimeCharacteristic, got {type(characteristic).__name__}.")
        _note("StreamExecutionEnvironment.set_stream_time_characteristic")


class OldCheckpointSettings:
    """What ``CheckpointConfig`` had in 1.x."""

    _configuration: Configuration

    def set_checkpoint_storage(self, storage: CheckpointStorage) -> CheckpointConfig:
        """Choose where checkpoints are kept."""
        from wiesel.datastream.checkpoint_storage import CheckpointStorage

        _note("CheckpointConfig.set_checkpoint_storage")
        if not isinstance(storage, CheckpointStorage):
            raise TypeError(f"set_checkpoint_storage() takes a CheckpointStorage, got {type(storage).__name__}.")
        storage.write_to(self._configuration)
        return self  # type: ignore[return-value]

    def set_checkpoint_storage_dir(self, checkpoint_path: str) -> CheckpointConfig:
        """Keep checkpoints in a directory."""
        from wiesel.datastream.checkpoint_storage import FileSystemCheckpointStorage

        return self.set_checkpoint_storage(FileSystemCheckpointStorage(checkpoint_path))

    def enable_externalized_checkpoints(self, cleanup_mode: ExternalizedCheckpointRetention) -> CheckpointConfig:
        """Set what becomes of checkpoints when the job is cancelled."""
        _note("CheckpointConfig.enable_externalized_checkpoints")
        if not isinstance(cleanup_mode, ExternalizedCheckpointRetention):
            raise ConfigurationError(f"Expected an ExternalizedCheckpointCleanup, got {cleanup_mode!r}.")
        self._configuration.set_string(catalog.EXTERNALIZED_CHECKPOINT_RETENTION.key, cleanup_mode.name)
        return self  # type: ignore[return-value]

    set_externalized_checkpoint_cleanup = enable_externalized_checkpoints

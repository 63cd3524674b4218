"""Objects that choose a state backend (``pyflink.datastream.state_backend``).

In Flink 2 the configuration chooses it (``state.backend.type``); these classes write that key, as scripts for 1.x
expect of ``env.set_state_backend(...)``.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.errors import UnsupportedError
from wiesel.core.options import catalog

__all__ = [
    "CustomStateBackend",
    "EmbeddedRocksDBStateBackend",
    "FsStateBackend",
    "HashMapStateBackend",
    "MemoryStateBackend",
    "PredefinedOptions",
    "RocksDBStateBackend",
    "StateBackend",
]


class StateBackend:
    """Where keyed state lives."""

    def write_to(self, configuration: Configuration) -> None:
        """Choose this backend in a job's configuration."""
        raise UnsupportedError(f"{type(self).__name__} is not served: use HashMapStateBackend().")


class HashMapStateBackend(StateBackend):
    """State as Python objects in memory; the default."""

    def write_to(self, configuration: Configuration) -> None:
        """Choose ``hashmap``."""
        configuration.set_string(catalog.STATE_BACKEND.key, "hashmap")


class PredefinedOptions(Enum):
    """RocksDB's settings for kinds of disks."""

    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class EmbeddedRocksDBStateBackend(StateBackend):
    """State in RocksDB, on disk: for state that is larger than memory. Needs ``wiesel[rocksdb]``.

    Checkpoints share the files that did not change, whatever is said of incremental ones.

    Args:
        enable_incremental_checkpointing: None is the default, False.
    """

    def __init__(self, enable_incremental_checkpointing: bool | None = None) -> None:
        self._incremental = enable_incremental_checkpointing
        self._paths: list[str] = []
        self._predefined = PredefinedOptions.DEFAULT
        self._factory: str | None = None
        self._transfer_threads = 4

    def write_to(self, configuration: Configuration) -> None:
        """Choose ``rocksdb``."""
        configuration.set_string(catalog.STATE_BACKEND.key, "rocksdb")

    def set_db_storage_paths(self, *paths: str) -> None:
        """Set the directories of the database files; none is the temporary directory."""
        self._paths = list(paths)

    def get_db_storage_paths(self) -> list[str]:
        """Return the directories of the database files."""
        return list(self._paths)

    def is_incremental_checkpoints_enabled(self) -> bool:
        """Whether checkpoints hold only what changed."""
        return bool(self._incremental)

    def set_predefined_options(self, options: PredefinedOptions) -> None:
        """Set the options for a kind of disk."""
        self._predefined = options

    def get_predefined_options(self) -> PredefinedOptions:
        """Return the options for a kind of disk."""
        return self._predefined

    def set_options(self, options_factory_class_name: str) -> None:
        """Refuse: an options factory is a Java class."""
        raise UnsupportedError(
            f"set_options({options_factory_class_name!r}) names a Java class, and there is no JVM here: use "
            f"set_predefined_options()."
        )

    def get_options(self) -> str | None:
        """Return None: there is no options factory."""
        return self._factory

    def get_number_of_transfer_threads(self) -> int:
        """Return how many threads move files at a checkpoint."""
        return self._transfer_threads

    def set_number_of_transfer_threads(self, number_of_transfering_threads: int) -> None:
        """Set how many threads move files at a checkpoint, from 1."""
        if number_of_transfering_threads < 1:
            raise ValueError(f"Invalid number of threads {number_of_transfering_threads}: use 1 or more.")
        self._transfer_threads = number_of_transfering_threads


class CustomStateBackend(StateBackend):
    """A backend written in Java.

    Args:
        j_custom_state_backend: Java's object, which there is none of here.
    """

    def __init__(self, j_custom_state_backend: Any) -> None:
        raise UnsupportedError(
            "A custom state backend is a Java class, and there is no JVM: use HashMapStateBackend()."
        )


class MemoryStateBackend(HashMapStateBackend):
    """Flink 1.x: state in memory, checkpoints in the JobManager's memory; here they go to the checkpoint directory."""

    def __init__(
        self,
        checkpoint_path: str | None = None,
        savepoint_path: str | None = None,
        max_state_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
    ) -> None:
        self._checkpoint_path = checkpoint_path
        self._savepoint_path = savepoint_path

    def write_to(self, configuration: Configuration) -> None:
        """Choose ``hashmap`` and the directories that were given."""
        super().write_to(configuration)
        write_directories(configuration, self._checkpoint_path, self._savepoint_path)


class FsStateBackend(HashMapStateBackend):
    """Flink 1.x: state in memory, checkpoints in ``checkpoint_directory_uri``."""

    def __init__(
        self,
        checkpoint_directory_uri: str | None = None,
        default_savepoint_directory_uri: str | None = None,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
    ) -> None:
        if checkpoint_directory_uri is None:
            raise ValueError("The parameter 'checkpoint_directory_uri' is required!")
        self._checkpoint_path = checkpoint_directory_uri
        self._savepoint_path = default_savepoint_directory_uri

    def write_to(self, configuration: Configuration) -> None:
        """Choose ``hashmap`` and the directories."""
        super().write_to(configuration)
        write_directories(configuration, self._checkpoint_path, self._savepoint_path)


class RocksDBStateBackend(EmbeddedRocksDBStateBackend):
    """Flink 1.x: state in RocksDB, checkpoints in ``checkpoint_data_uri``."""

    def __init__(
        self,
        checkpoint_data_uri: str | None = None,
        enable_incremental_checkpointing: bool | None = None,
        checkpoint_stream_backend: StateBackend | None = None,
    ) -> None:
        if checkpoint_data_uri is None and checkpoint_stream_backend is None:
            raise ValueError("The parameter 'checkpoint_data_uri' is required!")
        super().__init__(enable_incremental_checkpointing)
        self._checkpoint_path = checkpoint_data_uri
        self._checkpoint_backend = checkpoint_stream_backend

    def write_to(self, configuration: Configuration) -> None:
        """Choose ``rocksdb`` and the directory."""
        if self._checkpoint_backend is not None:
            self._checkpoint_backend.write_to(configuration)
        super().write_to(configuration)
        write_directories(configuration, self._checkpoint_path, None)


def write_directories(configuration: Configuration, checkpoints: str | None, savepoints: str | None) -> None:
    """Set the directories of checkpoints and savepoints, where they are given."""
    if checkpoints is not None:
        configuration.set_string(catalog.CHECKPOINTS_DIRECTORY.key, checkpoints)
    if savepoints is not None:
        configuration.set_string(catalog.SAVEPOINT_DIRECTORY.key, savepoints)

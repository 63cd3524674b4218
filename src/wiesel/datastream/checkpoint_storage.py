"""Objects that choose where checkpoints are kept (``pyflink.datastream.checkpoint_storage``).

In Flink 2 the configuration chooses it (``execution.checkpointing.dir``); these classes write that key, as scripts for
1.x expect of ``checkpoint_config.set_checkpoint_storage(...)``.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.errors import UnsupportedError
from wiesel.core.options import catalog
from wiesel.datastream.state_backend import write_directories

__all__ = [
    "CheckpointStorage",
    "CustomCheckpointStorage",
    "FileSystemCheckpointStorage",
    "JobManagerCheckpointStorage",
]

#: Flink's defaults, in bytes.
_SMALLEST_FILE = 20 * 1024
_WRITE_BUFFER = 4096


class CheckpointStorage:
    """Where checkpoints are kept."""

    def write_to(self, configuration: Configuration) -> None:
        """Choose this storage in a job's configuration."""
        raise UnsupportedError(f"{type(self).__name__} is not served: use FileSystemCheckpointStorage(directory).")


class JobManagerCheckpointStorage(CheckpointStorage):
    """Checkpoints in the JobManager's memory. Wiesel keeps them in files all the same, which survive more.

    Args:
        checkpoint_path: directory of the checkpoints' metadata.
        max_state_size: largest state of a subtask, in bytes; no bound here.
    """

    DEFAULT_MAX_STATE_SIZE = 5 * 1024 * 1024

    def __init__(self, checkpoint_path: str | None = None, max_state_size: int | None = None) -> None:
        self._checkpoint_path = checkpoint_path
        self._max_state_size = self.DEFAULT_MAX_STATE_SIZE if max_state_size is None else max_state_size

    def write_to(self, configuration: Configuration) -> None:
        """Set the directory, when there is one."""
        configuration.set_string(catalog.CHECKPOINT_STORAGE.key, "jobmanager")
        write_directories(configuration, self._checkpoint_path, None)

    def get_checkpoint_path(self) -> str | None:
        """Return the directory, or None."""
        return self._checkpoint_path

    def get_max_state_size(self) -> int:
        """Return the largest state of a subtask, in bytes."""
        return self._max_state_size

    def get_savepoint_path(self) -> str | None:
        """Return None: savepoints have a setting of their own, ``execution.checkpointing.savepoint-dir``."""
        return None


class FileSystemCheckpointStorage(CheckpointStorage):
    """Checkpoints in a directory.

    Args:
        checkpoint_path: the directory.
        file_state_size_threshold: smaller state is kept in the metadata, up to 1 MiB; it always has its file here.
        write_buffer_size: bytes collected before they are written; -1 is the default.
    """

    MAX_FILE_STATE_THRESHOLD = 1024 * 1024

    def __init__(
        self,
        checkpoint_path: str | None = None,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int = -1,
    ) -> None:
        if checkpoint_path is None:
            raise ValueError("checkpoint_path is required: the directory of the checkpoints.")
        threshold = _SMALLEST_FILE if file_state_size_threshold in (None, -1) else file_state_size_threshold
        assert threshold is not None
        if not 0 <= threshold <= self.MAX_FILE_STATE_THRESHOLD:
            raise ValueError(
                f"The threshold for file state size must be in [-1, {self.MAX_FILE_STATE_THRESHOLD}], got {threshold}."
            )
        if write_buffer_size < -1:
            raise ValueError(f"The write buffer size must be not less than -1, got {write_buffer_size}.")
        self._checkpoint_path = checkpoint_path
        self._threshold = threshold
        self._write_buffer_size = _WRITE_BUFFER if write_buffer_size == -1 else write_buffer_size

    def write_to(self, configuration: Configuration) -> None:
        """Set the directory."""
        configuration.set_string(catalog.CHECKPOINT_STORAGE.key, "filesystem")
        write_directories(configuration, self._checkpoint_path, None)

    def get_checkpoint_path(self) -> str:
        """Return the directory."""
        return self._checkpoint_path

    def get_savepoint_path(self) -> str | None:
        """Return None: savepoints have a setting of their own, ``execution.checkpointing.savepoint-dir``."""
        return None

    def get_min_file_size_threshold(self) -> int:
        """Return below how many bytes state would be kept in the metadata."""
        return self._threshold

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are collected before they are written, at least the threshold as in Flink."""
        return max(self._write_buffer_size, self._threshold)


class CustomCheckpointStorage(CheckpointStorage):
    """A storage written in Java.

    Args:
        j_custom_checkpoint_storage: Java's object, which there is none of here.
    """

    def __init__(self, j_custom_checkpoint_storage: Any) -> None:
        raise UnsupportedError(
            "A custom checkpoint storage is a Java class, and there is no JVM: use FileSystemCheckpointStorage()."
        )

"""``CheckpointConfig``, checkpoint storages and state backends: settings that are kept, and where they are written."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from wiesel.common import Configuration, Duration
from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.datastream import (
    CheckpointConfig,
    CheckpointingMode,
    CheckpointStorage,
    CustomCheckpointStorage,
    CustomStateBackend,
    EmbeddedRocksDBStateBackend,
    ExternalizedCheckpointRetention,
    FileSystemCheckpointStorage,
    FsStateBackend,
    HashMapStateBackend,
    JobManagerCheckpointStorage,
    MemoryStateBackend,
    PredefinedOptions,
    RocksDBStateBackend,
    StateBackend,
)

Retention = ExternalizedCheckpointRetention


@pytest.fixture
def config() -> CheckpointConfig:
    return CheckpointConfig(Configuration())


def test_defaults_are_flinks(config: CheckpointConfig) -> None:
    assert not config.is_checkpointing_enabled()
    assert config.get_checkpointing_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert config.get_checkpoint_interval() == -1
    assert config.get_checkpoint_timeout() == CheckpointConfig.DEFAULT_TIMEOUT == 600_000
    assert config.get_min_pause_between_checkpoints() == CheckpointConfig.DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS == 0
    assert config.get_max_concurrent_checkpoints() == CheckpointConfig.DEFAULT_MAX_CONCURRENT_CHECKPOINTS == 1
    assert CheckpointConfig.DEFAULT_MODE is CheckpointingMode.EXACTLY_ONCE
    assert config.is_fail_on_checkpointing_errors()
    assert config.get_tolerable_checkpoint_failure_number() == 0
    assert not config.is_externalized_checkpoints_enabled()
    assert config.get_externalized_checkpoint_retention() is Retention.NO_EXTERNALIZED_CHECKPOINTS
    assert not config.is_unaligned_checkpoints_enabled()
    assert not config.is_force_unaligned_checkpoints()


@pytest.mark.parametrize(
    ("setter", "getter", "value"),
    [
        ("set_checkpoint_interval", "get_checkpoint_interval", 700),
        ("set_checkpoint_timeout", "get_checkpoint_timeout", 5000),
        ("set_min_pause_between_checkpoints", "get_min_pause_between_checkpoints", 60),
        ("set_max_concurrent_checkpoints", "get_max_concurrent_checkpoints", 3),
        ("set_tolerable_checkpoint_failure_number", "get_tolerable_checkpoint_failure_number", 4),
        ("set_externalized_checkpoint_retention", "get_externalized_checkpoint_retention", Retention(0)),
        ("set_aligned_checkpoint_timeout", "get_aligned_checkpoint_timeout", Duration.of_seconds(3)),
        ("set_alignment_timeout", "get_alignment_timeout", Duration.of_seconds(2)),
        ("set_force_unaligned_checkpoints", "is_force_unaligned_checkpoints", True),
        ("enable_unaligned_checkpoints", "is_unaligned_checkpoints_enabled", True),
        ("set_fail_on_checkpointing_errors", "is_fail_on_checkpointing_errors", False),
    ],
)
def test_a_setting_is_kept(config: CheckpointConfig, setter: str, getter: str, value: Any) -> None:
    assert getattr(config, setter)(value) is config
    assert getattr(config, getter)() == value


def test_the_mode_shows_once_checkpointing_is_on(config: CheckpointConfig) -> None:
    config.set_checkpointing_mode(CheckpointingMode.AT_LEAST_ONCE).set_checkpoint_interval(100)
    assert config.is_checkpointing_enabled()
    assert config.get_checkpointing_mode() is CheckpointingMode.AT_LEAST_ONCE
    config.set_checkpointing_mode(CheckpointingMode.EXACTLY_ONCE)
    assert config.get_checkpointing_mode() is CheckpointingMode.EXACTLY_ONCE


def test_unaligned_checkpoints_are_replaced_by_aligned_ones_with_a_warning(
    config: CheckpointConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        config.enable_unaligned_checkpoints()
    assert "aligned ones are taken instead" in caplog.text
    assert not config.disable_unaligned_checkpoints().is_unaligned_checkpoints_enabled()


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        ("set_checkpoint_interval", 5),
        ("set_checkpoint_timeout", 5),
        ("set_min_pause_between_checkpoints", -1),
        ("set_max_concurrent_checkpoints", 0),
        ("set_tolerable_checkpoint_failure_number", -1),
    ],
)
def test_impossible_settings_are_refused(config: CheckpointConfig, setter: str, value: int) -> None:
    with pytest.raises(ConfigurationError):
        getattr(config, setter)(value)


def test_old_settings_still_work() -> None:
    configuration = Configuration()
    config = CheckpointConfig(configuration)
    config.enable_externalized_checkpoints(Retention.RETAIN_ON_CANCELLATION)
    assert config.is_externalized_checkpoints_enabled()
    config.set_externalized_checkpoint_cleanup(Retention.DELETE_ON_CANCELLATION)
    assert config.get_externalized_checkpoint_retention() is Retention.DELETE_ON_CANCELLATION
    config.set_checkpoint_storage_dir("/a")
    assert configuration.to_dict()["execution.checkpointing.dir"] == "/a"
    config.set_checkpoint_storage(JobManagerCheckpointStorage("/b"))
    assert configuration.to_dict()["execution.checkpointing.dir"] == "/b"
    assert configuration.to_dict()["execution.checkpointing.storage"] == "jobmanager"
    with pytest.raises(TypeError, match="takes a CheckpointStorage"):
        config.set_checkpoint_storage("/a")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="ExternalizedCheckpointCleanup"):
        config.enable_externalized_checkpoints("retain")  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------- storages


def test_file_system_storage_keeps_its_settings() -> None:
    assert FileSystemCheckpointStorage.MAX_FILE_STATE_THRESHOLD == 1 << 20
    plain = FileSystemCheckpointStorage("/c")
    assert (plain.get_checkpoint_path(), plain.get_savepoint_path()) == ("/c", None)
    assert (plain.get_min_file_size_threshold(), plain.get_write_buffer_size()) == (20 * 1024, 20 * 1024)
    other = FileSystemCheckpointStorage("/c", 0, 100_000)
    assert (other.get_min_file_size_threshold(), other.get_write_buffer_size()) == (0, 100_000)
    for arguments in ((None,), ("/c", (1 << 20) + 1), ("/c", 0, -2)):
        with pytest.raises(ValueError, match=r"required|must be"):
            FileSystemCheckpointStorage(*arguments)


def test_job_manager_storage_keeps_its_settings() -> None:
    assert JobManagerCheckpointStorage.DEFAULT_MAX_STATE_SIZE == 5 << 20
    plain = JobManagerCheckpointStorage()
    assert (plain.get_checkpoint_path(), plain.get_savepoint_path()) == (None, None)
    assert plain.get_max_state_size() == 5 << 20
    other = JobManagerCheckpointStorage("/c", 7)
    assert (other.get_checkpoint_path(), other.get_max_state_size()) == ("/c", 7)


# ----------------------------------------------------------------------------------------------------- backends


def written(backend: StateBackend) -> dict[str, str]:
    configuration = Configuration()
    backend.write_to(configuration)
    return configuration.to_dict()


def test_backends_write_the_key_that_chooses_them() -> None:
    assert written(HashMapStateBackend()) == {"state.backend.type": "hashmap"}
    assert written(EmbeddedRocksDBStateBackend()) == {"state.backend.type": "rocksdb"}
    assert written(MemoryStateBackend("/c", "/s")) == {
        "state.backend.type": "hashmap",
        "execution.checkpointing.dir": "/c",
        "execution.checkpointing.savepoint-dir": "/s",
    }
    assert written(FsStateBackend("/c")) == {"state.backend.type": "hashmap", "execution.checkpointing.dir": "/c"}
    assert written(RocksDBStateBackend("/c")) == {"state.backend.type": "rocksdb", "execution.checkpointing.dir": "/c"}
    assert written(RocksDBStateBackend(checkpoint_stream_backend=FsStateBackend("/d"))) == {
        "state.backend.type": "rocksdb",
        "execution.checkpointing.dir": "/d",
    }
    for old in (FsStateBackend, RocksDBStateBackend):
        with pytest.raises(ValueError, match="is required"):
            old()


def test_rocksdb_keeps_its_settings() -> None:
    backend = EmbeddedRocksDBStateBackend()
    assert not backend.is_incremental_checkpoints_enabled()
    assert EmbeddedRocksDBStateBackend(True).is_incremental_checkpoints_enabled()
    assert backend.get_predefined_options().value == PredefinedOptions.DEFAULT.value == 0
    for options in (
        PredefinedOptions.SPINNING_DISK_OPTIMIZED,
        PredefinedOptions.SPINNING_DISK_OPTIMIZED_HIGH_MEM,
        PredefinedOptions.FLASH_SSD_OPTIMIZED,
    ):
        backend.set_predefined_options(options)
        assert backend.get_predefined_options().name == options.name
    backend.set_db_storage_paths("/a", "/b")
    assert backend.get_db_storage_paths() == ["/a", "/b"]
    assert backend.get_number_of_transfer_threads() == 4
    backend.set_number_of_transfer_threads(2)
    assert backend.get_number_of_transfer_threads() == 2
    with pytest.raises(ValueError, match="Invalid number of threads"):
        backend.set_number_of_transfer_threads(0)
    assert backend.get_options() is None
    with pytest.raises(UnsupportedError, match="names a Java class"):
        backend.set_options("com.example.Factory")


def test_what_is_java_is_refused() -> None:
    for kind in (CustomCheckpointStorage, CustomStateBackend):
        with pytest.raises(UnsupportedError, match="Java class"):
            kind(None)
    with pytest.raises(UnsupportedError, match="HashMapStateBackend"):
        StateBackend().write_to(Configuration())
    with pytest.raises(UnsupportedError, match="FileSystemCheckpointStorage"):
        CheckpointStorage().write_to(Configuration())

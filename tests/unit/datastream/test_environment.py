"""``StreamExecutionEnvironment``: settings, what only a cluster needs, sources, ways to run."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Configuration, Duration, Types, WatermarkStrategy
from wiesel.common.restart_strategy import RestartStrategies
from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.datastream import (
    CheckpointingMode,
    FsStateBackend,
    HashMapStateBackend,
    RuntimeExecutionMode,
    SlotSharingGroup,
    StreamExecutionEnvironment,
    TimeCharacteristic,
)
from wiesel.datastream.connectors.number_seq import NumberSequenceSource


def test_settings_are_kept_and_chain() -> None:
    env = environment()
    assert env.set_parallelism(3).set_max_parallelism(64).set_buffer_timeout(7) is env
    assert (env.get_parallelism(), env.get_max_parallelism(), env.get_buffer_timeout()) == (3, 64, 7)
    assert env.get_config().get_parallelism() == 3
    with pytest.raises(ConfigurationError, match="at least one"):
        env.set_parallelism(0)


def test_configure_takes_settings_over() -> None:
    env = environment()
    configuration = Configuration()
    configuration.set_string("parallelism.default", "5")
    env.configure(configuration)
    assert env.get_parallelism() == 5
    assert StreamExecutionEnvironment.get_execution_environment(configuration).get_parallelism() == 5


def test_the_default_parallelism_can_be_set_for_all_environments() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    processors = env.get_default_local_parallelism()
    try:
        env.set_default_local_parallelism(processors + 1)
        assert StreamExecutionEnvironment.get_execution_environment().get_parallelism() == processors + 1
    finally:
        env.set_default_local_parallelism(processors)


def test_chaining_can_be_switched_off() -> None:
    env = environment()
    assert env.is_chaining_enabled()
    assert env.is_chaining_of_operators_with_different_max_parallelism_enabled()
    assert env.disable_operator_chaining() is env
    assert not env.is_chaining_enabled()


def test_checkpoint_settings_are_those_of_the_checkpoint_config() -> None:
    env = environment()
    assert (env.get_checkpoint_interval(), env.get_checkpointing_mode()) == (-1, CheckpointingMode.AT_LEAST_ONCE)
    env.enable_checkpointing(500)
    assert (env.get_checkpoint_interval(), env.get_checkpointing_mode()) == (500, CheckpointingMode.EXACTLY_ONCE)
    env.enable_checkpointing(500, CheckpointingMode.AT_LEAST_ONCE)
    assert env.get_checkpointing_consistency_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert not env.is_unaligned_checkpoints_enabled()
    assert not env.is_force_unaligned_checkpoints()
    env.get_checkpoint_config().enable_unaligned_checkpoints().set_force_unaligned_checkpoints()
    assert env.is_unaligned_checkpoints_enabled()
    assert env.is_force_unaligned_checkpoints()


def test_the_savepoint_directory_is_kept() -> None:
    env = environment()
    assert env.get_default_savepoint_directory() is None
    assert env.set_default_savepoint_directory("/tmp/savepoints").get_default_savepoint_directory() == "/tmp/savepoints"


def test_slot_sharing_groups_are_remembered() -> None:
    env = environment()
    assert env.register_slot_sharing_group(SlotSharingGroup.builder("g").build()) is env


def test_a_changelog_is_not_needed_and_only_remembered() -> None:
    env = environment()
    assert env.is_changelog_state_backend_enabled() is False
    assert env.enable_changelog_state_backend(True) is env
    assert env.is_changelog_state_backend_enabled() is True


def test_what_only_a_jvm_or_a_cluster_needs_is_accepted_with_a_note(caplog: pytest.LogCaptureFixture) -> None:
    env = environment()
    with caplog.at_level(logging.INFO):
        env.add_jars("file:///a.jar")
        env.add_classpaths("file:///a")
        env.set_python_executable("python3")
        env.set_python_requirements("requirements.txt")
    notes = [record.message for record in caplog.records if "not needed here" in record.message]
    assert [note.split("(")[0] for note in notes] == [
        "add_jars",
        "add_classpaths",
        "set_python_executable",
        "set_python_requirements",
    ]


def test_a_python_file_can_be_imported_once_it_was_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "added_by_the_job.py").write_text("ANSWER = 42")
    environment().add_python_file(str(tmp_path / "added_by_the_job.py"))
    import added_by_the_job  # type: ignore[import-not-found]

    assert added_by_the_job.ANSWER == 42
    del sys.modules["added_by_the_job"]


@pytest.mark.parametrize(
    ("method", "arguments", "instead"),
    [
        ("add_python_archive", ["a.zip"], "unpack the archive"),
        ("register_cached_file", ["/a", "a"], "open the file by its path"),
        ("create_input", [None], "from_source"),
    ],
)
def test_what_is_not_served_says_what_to_do_instead(method: str, arguments: list[object], instead: str) -> None:
    with pytest.raises(UnsupportedError, match=instead):
        getattr(environment(), method)(*arguments)


def test_sources_are_collections_and_connectors() -> None:
    assert collect(environment().from_collection([1, 2], Types.LONG())) == [1, 2]
    source = NumberSequenceSource(1, 3)
    stream = environment().from_source(source, WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())
    assert stream.get_type() == Types.LONG()
    assert collect(stream) == [1, 2, 3]
    assert collect(environment().add_source(source, "old", Types.LONG())) == [1, 2, 3]


def test_execute_returns_a_result_and_execute_async_a_client(capfd: pytest.CaptureFixture[str]) -> None:
    env = environment()
    env.from_collection([1]).print()
    assert env.execute("now").get_net_runtime() >= 0
    env.from_collection([2]).print()
    client = env.execute_async("later")
    client.get_job_execution_result().result()
    assert capfd.readouterr().out == "1\n2\n"


def test_the_plan_names_the_operators_and_a_closed_environment_has_none() -> None:
    env = environment()
    env.from_collection([1]).map(str).print()
    assert [node["type"] for node in json.loads(env.get_execution_plan())["nodes"]] == [
        "Source: Collection Source",
        "Map, Map",
        "Sink: Print to Std. Out",
    ]
    env.from_collection([1]).print()
    env.close()
    with pytest.raises(Exception, match="No operators defined"):
        env.execute()


def test_every_operator_needs_a_uid_where_none_are_generated() -> None:
    env = environment()
    env.get_config().disable_auto_generated_uids()
    env.from_collection([1]).uid("source").print()
    with pytest.raises(ConfigurationError, match="no UID or hash has been assigned to operator 'Sink: Print"):
        env.get_execution_plan()
    env.close()
    env.from_collection([1]).uid("source").print().uid("sink")
    assert env.get_execution_plan()


def test_a_stream_can_be_used_again_after_its_program_was_executed(capfd: pytest.CaptureFixture[str]) -> None:
    env = environment()
    stream = env.from_collection([1, 2])
    stream.map(lambda value: value * 10).print()
    env.execute()
    stream.filter(lambda value: value > 1).print()
    env.execute()
    assert capfd.readouterr().out == "10\n20\n2\n"


# ------------------------------------------------------------------------------------------ what 1.x had


def test_old_settings_still_work_and_say_what_replaces_them(caplog: pytest.LogCaptureFixture) -> None:
    env = environment()
    assert env.set_state_backend(HashMapStateBackend()) is env
    env.set_state_backend(FsStateBackend("file:///tmp/checkpoints", "file:///tmp/savepoints"))
    env.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1000))
    env.set_stream_time_characteristic(TimeCharacteristic.EventTime)
    settings = env._configuration.to_dict()
    assert settings["state.backend.type"] == "hashmap"
    assert settings["execution.checkpointing.dir"] == "file:///tmp/checkpoints"
    assert settings["execution.checkpointing.savepoint-dir"] == "file:///tmp/savepoints"
    assert settings["restart-strategy.type"] == "fixed-delay"
    assert settings["restart-strategy.fixed-delay.attempts"] == "3"
    assert sum("removed in Flink 2.0" in record.message for record in caplog.records) == 4


@pytest.mark.parametrize("method", ["set_state_backend", "set_restart_strategy", "set_stream_time_characteristic"])
def test_old_settings_refuse_what_they_do_not_take(method: str) -> None:
    with pytest.raises(TypeError):
        getattr(environment(), method)("rocksdb")


def test_the_runtime_mode_is_a_setting() -> None:
    env = environment()
    assert not env.is_batch()
    assert env.set_runtime_mode(RuntimeExecutionMode.BATCH) is env
    assert env.is_batch()
    assert not env.set_runtime_mode(RuntimeExecutionMode.STREAMING).is_batch()
    assert env.get_checkpoint_config().get_aligned_checkpoint_timeout() == Duration.of_millis(0)

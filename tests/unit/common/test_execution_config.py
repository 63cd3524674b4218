import pytest

from wiesel.common import Configuration, ExecutionConfig
from wiesel.core.errors import ConfigurationError


def test_defaults_are_flink_s() -> None:
    config = ExecutionConfig()
    assert config.get_parallelism() == ExecutionConfig.PARALLELISM_DEFAULT
    assert config.get_max_parallelism() == -1
    assert config.get_auto_watermark_interval() == 200
    assert config.get_latency_tracking_interval() == 0
    assert config.get_task_cancellation_interval() == 30_000
    assert config.get_task_cancellation_timeout() == 180_000
    assert config.get_global_job_parameters() == {}
    assert config.is_closure_cleaner_enabled()
    assert config.has_auto_generated_uids_enabled()
    assert not config.is_object_reuse_enabled()
    assert not config.is_force_kryo_enabled()
    assert not config.is_force_avro_enabled()
    assert not config.has_generic_types_disabled()
    assert not config.is_use_snapshot_compression()


def test_settings_are_those_of_the_configuration() -> None:
    configuration = Configuration()
    config = ExecutionConfig(configuration)
    config.set_parallelism(4).set_max_parallelism(256).set_auto_watermark_interval(50)
    assert configuration.to_dict() == {
        "parallelism.default": "4",
        "pipeline.max-parallelism": "256",
        "pipeline.auto-watermark-interval": "50 ms",
    }
    configuration.set_string("parallelism.default", "2")
    assert config.get_parallelism() == 2
    assert config.set_parallelism(ExecutionConfig.PARALLELISM_DEFAULT).get_parallelism() == -1
    assert config == ExecutionConfig(configuration)


def test_job_parameters_are_read_back_whatever_they_hold() -> None:
    parameters = {"a": "1", "list": "x,y:z", "quoted": "it's"}
    assert ExecutionConfig().set_global_job_parameters(parameters).get_global_job_parameters() == parameters


@pytest.mark.parametrize(
    ("switch_on", "switch_off", "is_on"),
    [
        ("enable_object_reuse", "disable_object_reuse", "is_object_reuse_enabled"),
        ("enable_force_kryo", "disable_force_kryo", "is_force_kryo_enabled"),
        ("enable_force_avro", "disable_force_avro", "is_force_avro_enabled"),
        ("enable_closure_cleaner", "disable_closure_cleaner", "is_closure_cleaner_enabled"),
        ("enable_auto_generated_uids", "disable_auto_generated_uids", "has_auto_generated_uids_enabled"),
        ("disable_generic_types", "enable_generic_types", "has_generic_types_disabled"),
    ],
)
def test_switches_are_remembered(switch_on: str, switch_off: str, is_on: str) -> None:
    config = ExecutionConfig()
    assert getattr(config, switch_on)() is config
    assert getattr(config, is_on)() is True
    getattr(config, switch_off)()
    assert getattr(config, is_on)() is False


def test_impossible_settings_are_refused() -> None:
    config = ExecutionConfig()
    with pytest.raises(ConfigurationError, match="at least one"):
        config.set_parallelism(0)
    with pytest.raises(ConfigurationError, match="greater than 0"):
        config.set_max_parallelism(0)
    with pytest.raises(ConfigurationError, match="must not be negative"):
        config.set_auto_watermark_interval(-1)

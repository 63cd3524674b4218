"""Members of pyflink.common that no other test asks for."""

from __future__ import annotations

import pytest

from wiesel.common import (
    ByteArraySchema,
    ConfigOptions,
    Configuration,
    Duration,
    ExecutionConfig,
    RestartStrategies,
    Row,
    RowKind,
    Types,
    WatermarkStrategy,
)
from wiesel.core.options import optional_value_of
from wiesel.core.row import RowKind as Kind
from wiesel.core.types import TypeInformation


def test_options_of_every_type_are_read_from_a_configuration() -> None:
    configuration = Configuration()
    configuration.set_string("k", "3")
    key = ConfigOptions.key("k")
    assert optional_value_of(configuration, key.long_type().default_value(1)) == 3
    assert optional_value_of(configuration, key.float_type().default_value(1.0)) == 3.0
    assert optional_value_of(configuration, key.double_type().no_default_value()) == 3.0


def test_durations_of_days_and_nanoseconds() -> None:
    assert Duration.of_days(2) == Duration.of_hours(48)
    assert Duration.of_nanos(3_000_000) == Duration.of_millis(3)


@pytest.mark.parametrize(
    ("setter", "getter"),
    [
        ("set_latency_tracking_interval", "get_latency_tracking_interval"),
        ("set_task_cancellation_interval", "get_task_cancellation_interval"),
        ("set_task_cancellation_timeout", "get_task_cancellation_timeout"),
    ],
)
def test_intervals_are_remembered(setter: str, getter: str) -> None:
    config = ExecutionConfig()
    assert getattr(config, setter)(77) is config
    assert getattr(config, getter)() == 77


def test_snapshot_compression_is_remembered() -> None:
    config = ExecutionConfig()
    assert config.is_use_snapshot_compression() is False
    assert config.set_use_snapshot_compression(True).is_use_snapshot_compression() is True


def test_nothing_is_registered_with_kryo() -> None:
    config = ExecutionConfig()
    assert config.get_default_kryo_serializer_classes() == {}
    assert config.get_registered_kryo_types() == []
    assert config.get_registered_pojo_types() == []
    assert ExecutionConfig.PARALLELISM_UNKNOWN == -2


def test_restart_strategies_describe_themselves() -> None:
    assert "deactivated" in RestartStrategies.no_restart().get_description()
    assert "rate" in RestartStrategies.failure_rate_restart(3, 1000, 10).get_description().lower()
    assert "cluster" in RestartStrategies.fall_back_restart().get_description().lower()


def test_a_row_has_a_kind() -> None:
    row = Row(1)
    assert row.get_row_kind() is RowKind.INSERT
    row.set_row_kind(RowKind.DELETE)
    assert row.get_row_kind() is RowKind.DELETE
    with pytest.raises(NotImplementedError, match="no Java"):
        Kind.INSERT.to_j_row_kind()


def test_types_that_are_rarely_named() -> None:
    assert Types.BIG_INT().coercer()(3) == 3
    assert Types.CHAR().coercer()("c") == "c"
    assert Types.MAP(Types.STRING(), Types.INT()).coercer()({"a": 1}) == {"a": 1}


class Own(TypeInformation):
    """A type of the user's own, which says nothing about itself."""


def test_a_type_hands_objects_on_as_they_are_unless_it_says_otherwise() -> None:
    own = Own()
    assert own.need_conversion() is False
    assert own.to_internal_type("x") == "x"
    assert own.from_internal_type("x") == "x"
    assert own._codec is None


def test_watermark_strategies_are_data() -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    assert strategy.out_of_orderness_ms == 0
    assert strategy.with_idleness(Duration.of_seconds(2)).idle_timeout_ms == 2000
    alignment = strategy.with_watermark_alignment("g", Duration.of_seconds(1), Duration.of_millis(5)).alignment
    assert alignment is not None
    assert (alignment.group, alignment.max_drift_ms, alignment.update_interval_ms) == ("g", 1000, 5)
    with pytest.raises(ValueError, match="must be positive"):
        strategy.with_idleness(Duration.of_millis(0))


def test_byte_arrays_pass_as_they_are() -> None:
    assert ByteArraySchema().serialize(b"ab") == b"ab"
    assert ByteArraySchema().deserialize(b"ab") == b"ab"


def test_a_configuration_is_made_of_a_dictionary() -> None:
    assert Configuration.from_dict({"a": 1, "b": "x"}).to_dict() == {"a": "1", "b": "x"}  # type: ignore[dict-item]

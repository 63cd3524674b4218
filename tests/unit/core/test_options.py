import pytest

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import (
    catalog,
    check_configuration,
    format_map,
    is_set,
    optional_value_of,
    parse_duration,
    parse_map,
    parse_memory_size,
    value_of,
)


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("10 s", 10_000),
        ("100ms", 100),
        ("1 min", 60_000),
        ("2 h", 7_200_000),
        ("1d", 86_400_000),
        ("200", 200),
        ("0", 0),
        ("3000000 ns", 3),
        ("2000 micros", 2),
        ("PT1S", 1000),
        ("PT0.2S", 200),
        ("pt1m30s", 90_000),
        ("P1DT2H", 93_600_000),
        ("5 Seconds", 5000),
    ],
)
def test_durations_are_read_as_flink_writes_them(text: str, millis: int) -> None:
    assert parse_duration(text) == millis


@pytest.mark.parametrize("text", ["", "ten", "10 x", "1.5 s", "PT", "P", "-5 s", "-PT1S", "10 us", "10 µs", "1 ns"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|millisecond"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("64 mb", 64 << 20), ("1g", 1 << 30), ("20 kb", 20 << 10), ("5 bytes", 5), ("1t", 1 << 40)],
)
def test_sizes_are_read_as_flink_writes_them(text: str, size: int) -> None:
    assert parse_memory_size(text) == size


def test_a_port_or_a_range_of_them_is_read_as_flink_writes_it() -> None:
    assert list(catalog.PROMETHEUS_PORT.parse_value("9249")) == [9249]
    assert list(catalog.PROMETHEUS_PORT.parse_value("9250-9252")) == [9250, 9251, 9252]
    for wrong in ("0", "9252-9250", "70000", "prom", "9250-"):
        with pytest.raises(ConfigurationError, match=r"metrics\.reporter\.prom\.port must be a port"):
            catalog.PROMETHEUS_PORT.parse_value(wrong)


def test_maps_are_read_back_as_they_were_written() -> None:
    entries = {"a": "1", "b:c": "x,y", "quote": "it's", "empty": "", " blank ": " "}
    assert parse_map(format_map(entries)) == entries
    assert parse_map("a:1, b : 2") == {"a": "1", "b": "2"}
    assert parse_map("{a: '1', 'b:c': 'x,y', quote: it's}") == {"a": "1", "b:c": "x,y", "quote": "it's"}
    assert parse_map("") == {}
    with pytest.raises(ValueError, match="no name and colon at 'nonsense'"):
        parse_map("nonsense")


def test_every_default_is_a_value_of_its_option() -> None:
    for option in catalog.OPTIONS.values():
        option.default_value()


@pytest.mark.parametrize(
    ("option", "default"),
    [
        (catalog.CHECKPOINTING_INTERVAL, None),
        (catalog.CHECKPOINTING_MODE, "EXACTLY_ONCE"),
        (catalog.CHECKPOINTING_TIMEOUT, 600_000),
        (catalog.CHECKPOINTING_MIN_PAUSE, 0),
        (catalog.MAX_CONCURRENT_CHECKPOINTS, 1),
        (catalog.NUM_RETAINED_CHECKPOINTS, 1),
        (catalog.STATE_BACKEND, "hashmap"),
        (catalog.RESTART_STRATEGY, None),
        (catalog.EXPONENTIAL_INITIAL_BACKOFF, 1000),
        (catalog.EXPONENTIAL_MAX_BACKOFF, 60_000),
        (catalog.EXPONENTIAL_MULTIPLIER, 1.5),
        (catalog.EXPONENTIAL_ATTEMPTS, 2**31 - 1),
        (catalog.FIXED_DELAY_ATTEMPTS, 1),
        (catalog.FIXED_DELAY_DELAY, 1000),
        (catalog.AUTO_WATERMARK_INTERVAL, 200),
        (catalog.MAX_PARALLELISM, -1),
        (catalog.OPERATOR_CHAINING, True),
    ],
)
def test_defaults_are_flink_s(option, default) -> None:
    assert optional_value_of(Configuration(), option) == default


def test_older_keys_are_read_and_the_newest_wins() -> None:
    configuration = Configuration.from_dict({"state.checkpoints.num-retained": "3"})
    assert value_of(configuration, catalog.NUM_RETAINED_CHECKPOINTS) == 3
    assert is_set(configuration, catalog.NUM_RETAINED_CHECKPOINTS)
    configuration.set_string("execution.checkpointing.num-retained", "2")
    assert value_of(configuration, catalog.NUM_RETAINED_CHECKPOINTS) == 2


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("exponentialdelay", "exponential-delay"),
        ("FIXED-DELAY", "fixed-delay"),
        ("off", "none"),
        ("failure_rate", "failure-rate"),
    ],
)
def test_enumerations_accept_flink_s_spellings(text: str, strategy: str) -> None:
    configuration = Configuration.from_dict({"restart-strategy.type": text})
    assert value_of(configuration, catalog.RESTART_STRATEGY) == strategy


def test_missing_value_without_default_says_what_it_must_be() -> None:
    with pytest.raises(
        ConfigurationError, match=r"execution\.checkpointing\.interval is not set; it must be a duration"
    ):
        value_of(Configuration(), catalog.CHECKPOINTING_INTERVAL)


def test_wrong_values_are_all_named_at_once_under_the_key_that_was_used() -> None:
    configuration = Configuration.from_dict(
        {"execution.checkpointing.interval": "ten", "state.backend": "forst", "parallelism.default": "0"}
    )
    with pytest.raises(ConfigurationError) as raised:
        check_configuration(configuration)
    text = str(raised.value)
    assert "execution.checkpointing.interval must be a duration such as 500 ms, 10 s or 1 min, not 'ten'" in text
    assert "state.backend must be one of hashmap, rocksdb, not 'forst'" in text
    assert "parallelism.default must be a whole number, 1 or more, not '0'" in text


def test_unknown_key_is_reported_with_the_nearest_one() -> None:
    report = check_configuration(
        Configuration.from_dict({"execution.checkpointing.intervall": "1s", "paralelism.default": "1", "foo": "1"})
    )
    assert report.warnings() == [
        "Unknown configuration key 'execution.checkpointing.intervall' is ignored. "
        "Did you mean 'execution.checkpointing.interval'?",
        "Unknown configuration key 'foo' is ignored.",
        "Unknown configuration key 'paralelism.default' is ignored. Did you mean 'parallelism.default'?",
    ]


def test_keys_of_the_jvm_are_accepted_and_told_once_by_reason() -> None:
    report = check_configuration(
        Configuration.from_dict(
            {
                "taskmanager.memory.process.size": "1g",
                "env.java.opts": "-Xmx1g",
                "python.executable": "python3",
                "pipeline.jars": "file:///x.jar",
                "metrics.reporters": "prom",
                "$internal.application.main": "x",
            }
        )
    )
    assert report.warnings() == []
    assert report.notes() == [
        "Without effect: $internal.application.main (it belongs to Flink's own processes).",
        "Without effect: env.java.opts, taskmanager.memory.process.size (it makes sense on a JVM cluster only).",
        "Without effect: pipeline.jars (connectors need no jars here).",
        "Without effect: python.executable (the job runs in the Python process that starts it).",
    ]

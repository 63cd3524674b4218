"""The broker's properties: defaults, overrides, listeners, and the file that carries them."""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiesel.broker.errors import BrokerConfigurationError
from wiesel.broker.properties import (
    broker_properties,
    client_listeners,
    format_properties,
    parse_assignments,
    parse_properties,
)
from wiesel.core.errors import exit_code_of

DATA = Path("data")


def properties(**overrides: str) -> dict[str, str]:
    ports = count(40001)
    return broker_properties(
        DATA, 9092, {key.replace("_", "."): value for key, value in overrides.items()}, lambda: next(ports)
    )


def test_a_plain_broker_listens_on_loopback_only_with_its_controller_on_a_free_port():
    made = properties()
    assert made["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:40001"
    assert made["controller.quorum.voters"] == "1@127.0.0.1:40001"
    assert [one.address for one in client_listeners(made)] == ["127.0.0.1:9092"]


def test_a_missing_topic_stays_missing_and_one_node_suffices():
    made = properties()
    assert made["auto.create.topics.enable"] == "false"
    assert made["transaction.state.log.replication.factor"] == made["offsets.topic.replication.factor"] == "1"


def test_retention_is_left_to_kafka():
    assert [key for key in properties() if key.startswith("log.retention")] == []


def test_an_override_wins_over_our_default():
    assert properties(auto_create_topics_enable="true")["auto.create.topics.enable"] == "true"


@pytest.mark.parametrize("key", ["node_id", "process_roles", "log_dirs", "controller_quorum_voters"])
def test_what_makes_the_broker_ours_cannot_be_overridden(key):
    with pytest.raises(BrokerConfigurationError, match="cannot be set"):
        properties(**{key: "7"})


def test_each_port_zero_of_overridden_listeners_becomes_a_free_port():
    made = properties(listeners="PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0")
    assert made["listeners"] == ("PLAINTEXT://127.0.0.1:40001,SASL_SSL://127.0.0.1:40002,CONTROLLER://127.0.0.1:40003")
    assert [(one.name, one.port, one.protocol) for one in client_listeners(made)] == [
        ("PLAINTEXT", 40001, "PLAINTEXT"),
        ("SASL_SSL", 40002, "SASL_SSL"),
    ]


def test_without_a_plaintext_listener_the_broker_talks_to_itself_by_the_first_one():
    assert properties(listeners="SSL://127.0.0.1:9093")["inter.broker.listener.name"] == "SSL"


@pytest.mark.parametrize("listeners", ["9092", "PLAINTEXT:127.0.0.1:9092", "PLAINTEXT://127.0.0.1"])
def test_listeners_that_are_none_are_refused_with_an_example(listeners):
    with pytest.raises(BrokerConfigurationError, match="as in PLAINTEXT://127"):
        properties(listeners=listeners)


def test_a_listener_of_an_unknown_name_is_told_how_to_get_a_protocol():
    with pytest.raises(BrokerConfigurationError, match=r"-c listener\.security\.protocol\.map="):
        properties(listeners="INSIDE://127.0.0.1:9092")


def test_listeners_without_one_for_clients_are_refused():
    with pytest.raises(BrokerConfigurationError, match="has none for clients"):
        properties(listeners="CONTROLLER://127.0.0.1:9093")


@given(st.dictionaries(st.text(min_size=1).filter(str.strip), st.text()))
def test_any_property_survives_the_file(values):
    assert parse_properties(format_properties(values)) == values


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_properties_file_is_ascii_with_one_line_a_property(values):
    text = format_properties(values)
    assert text.isascii()
    assert text.count("\n") == len(values)


def test_an_assignment_keeps_equal_signs_and_blanks_in_its_value():
    assert parse_assignments(["a.b=c=d ", "e="]) == {"a.b": "c=d ", "e": ""}


def test_a_bad_assignment_is_a_usage_error_that_does_not_repeat_it():
    with pytest.raises(BrokerConfigurationError, match="option -c number 2 is not KEY=VALUE") as error:
        parse_assignments(["a=b", "hunter2"])
    assert "hunter2" not in str(error.value)
    assert exit_code_of(error.value) == 2

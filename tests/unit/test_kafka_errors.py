"""What the client reports on the side, and what users are told of it."""

import logging

import pytest
from confluent_kafka import KafkaError, TopicPartition

from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.errors import translate
from wiesel.connectors.kafka.offset_commits import OffsetCommits
from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.errors import AuthorizationError, ConnectionFailedError
from wiesel.core.host import Machine, running_on


@pytest.mark.parametrize(
    "alert",
    [
        "tlsv13 alert certificate required: SSL alert number 116",
        "tlsv1 alert unknown ca: SSL alert number 48",
        "ssl/tls alert certificate expired: SSL alert number 45",
    ],
)
def test_a_broker_that_does_not_take_our_certificate_refuses_us_though_the_client_calls_it_transport(
    alert: str,
) -> None:
    events = ClientEvents("broker:9093")
    events.on_error(
        KafkaError(KafkaError._TRANSPORT, f"ssl://broker:9093: Receive failed: error:0A00: {alert} (after 1ms)")
    )
    refused = events.refused("connecting")
    assert isinstance(refused, AuthorizationError)
    assert alert in str(refused)
    assert "ssl.certificate.location" in str(refused)


@pytest.mark.parametrize("text", ["Connection refused", "tlsv1 alert internal error: SSL alert number 80"])
def test_what_waiting_may_mend_is_no_refusal(text: str) -> None:
    events = ClientEvents("broker:9093")
    error = KafkaError(KafkaError._TRANSPORT, text)
    events.on_error(error)
    assert events.refused("connecting") is None
    assert isinstance(translate(error, "connecting", "broker:9093"), ConnectionFailedError)


WRONG_MOMENT = "Broker: Request not valid in current SASL state"
GONE = "Local: Broker transport failure"


def at_the_wrong_moment(broker: str, reason: str = WRONG_MOMENT) -> KafkaError:
    return KafkaError(
        KafkaError._AUTHENTICATION,
        f"{broker}: SASL OAUTHBEARER mechanism handshake failed: {reason}: "
        "broker's supported mechanisms:  (after 0ms in state AUTH_HANDSHAKE)",
    )


@pytest.mark.parametrize("reason", [WRONG_MOMENT, GONE])
def test_a_login_that_is_cut_while_a_connection_logs_in_anew_is_no_refusal(reason: str) -> None:
    events, error = ClientEvents("broker:9093"), at_the_wrong_moment("GroupCoordinator: broker:9093", reason)
    events.on_error(error)
    assert events.refused("reading") is None
    assert isinstance(translate(error, "reading", "broker:9093"), ConnectionFailedError)


def test_a_listener_without_sasl_refuses_the_first_login() -> None:
    events = ClientEvents("broker:9093")
    events.on_error(at_the_wrong_moment("sasl_plaintext://broker:9093/bootstrap"))
    refused = events.refused("reading")
    assert isinstance(refused, AuthorizationError)
    assert "security.protocol" in str(refused)


class _Watch(Machine):
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def old_token(broker: str) -> KafkaError:
    return KafkaError(
        KafkaError._AUTHENTICATION, f'{broker}: {{"status":"invalid_token"}} (after 228ms in state AUTH_REQ)'
    )


@pytest.mark.parametrize(("times", "final"), [((0, 30), False), ((0, 30, 60), True), ((0, 30, 90, 120), False)])
def test_renewed_tokens_that_a_broker_refuses_end_a_job_only_when_that_lasts(
    times: tuple[float, ...], final: bool
) -> None:
    events = ClientEvents("broker:9093")
    with running_on(watch := _Watch()):
        for watch.now in times:
            assert events.refused("reading") is None
            events.on_error(old_token("GroupCoordinator: broker:9093"))
    assert (events.refused("reading") is not None) is final


def test_a_first_token_that_a_broker_refuses_ends_a_job() -> None:
    events = ClientEvents("broker:9093")
    events.on_error(old_token("sasl_plaintext://broker:9093/bootstrap"))
    assert isinstance(events.refused("reading"), AuthorizationError)


def test_a_refused_login_is_told_without_the_client_s_own_error_in_the_middle() -> None:
    error = KafkaError(
        KafkaError._AUTHENTICATION,
        "sasl_ssl://b:1: SASL authentication error: Authentication failed with SCRAM (after 3ms)",
    )
    said = str(translate(error, "reading", "b:1"))
    assert said.startswith("The Kafka broker refused the login while reading: sasl_ssl://b:1: Authentication failed")
    assert "error: " not in said


def test_a_group_that_is_not_ours_is_named_once_with_the_right(caplog: pytest.LogCaptureFixture) -> None:
    commits = OffsetCommits("readers")
    for _ in range(3):
        commits.on_commit(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [TopicPartition("t", 0, 1)])
    # Nothing is sent any more: the client would wait for the coordinator, and keep the job from ending.
    commits.commit(None, {Partition("t", 0): 1})  # type: ignore[arg-type]
    assert commits.failed == 4
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "the principal may not commit offsets to consumer group 'readers', and the job goes on without: grant it Read "
        "on the group"
    ]

"""Kafka's errors, as they are shown to the user."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from wiesel.broker.client import kafka_errors
from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.core.errors import AuthorizationError, ConnectionFailedError, MissingTopicError


@pytest.mark.parametrize(
    ("code", "kind", "fix"),
    [
        (KafkaError._TRANSPORT, ConnectionFailedError, "no broker answers at host:1. `wiesel kafka up`"),
        (KafkaError._TIMED_OUT, ConnectionFailedError, "no broker answers at host:1."),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, MissingTopicError, "`wiesel kafka topics create orders`"),
        (KafkaError._UNKNOWN_TOPIC, MissingTopicError, "there is no topic 'orders'"),
        (KafkaError.TOPIC_ALREADY_EXISTS, BrokerError, "topic 'orders' exists already"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, AuthorizationError, "host:1 refuses"),
        (KafkaError.INVALID_CONFIG, BrokerConfigurationError, "host:1 refuses"),
        (KafkaError.MSG_SIZE_TOO_LARGE, BrokerError, "(MSG_SIZE_TOO_LARGE)"),
    ],
)
def test_an_error_of_kafka_becomes_ours_with_the_fix(code, kind, fix):
    with pytest.raises(kind) as error, kafka_errors("host:1", "orders"):
        raise KafkaException(KafkaError(code))
    assert fix in str(error.value)
    assert isinstance(error.value.__cause__, KafkaException)


def test_another_exception_is_left_alone():
    with pytest.raises(ZeroDivisionError), kafka_errors("host:1"):
        raise ZeroDivisionError

"""Secrets are recognised by their keys, however they are written down."""

import pytest

from wiesel.core.redaction import HIDDEN, is_secret, redact, redact_mapping


@pytest.mark.parametrize(
    "text",
    [
        "sasl.password=canary",
        "sasl.password = canary, next=1",
        "{'sasl.password': 'canary with blanks', 'b': 1}",
        '{"ssl.key.password": "can\\"ary"}',
        "MY_SECRET: canary",
        "oauth.token=canary",
        "Authorization: Bearer canary",
        'sasl.jaas.config=org.PlainLoginModule required username="canary" password="canary";',
        "properties.sasl.jaas.config: PlainLoginModule required password='canary';",
        '{"sasl.jaas.config": "PlainLoginModule required password=\\"canary\\";"}',
        "kafka://user:canary@broker:9092/topic",
        "ssl.key.pem=-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "loaded -----BEGIN RSA PRIVATE KEY-----\ncanary",
    ],
)
def test_the_value_of_a_secret_is_hidden(text: str) -> None:
    assert "can" not in redact(text)
    assert "ary" not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "bootstrap.servers=localhost:9092",
        "sasl.mechanism=SCRAM-SHA-512",
        "{'sasl.mechanisms': 'PLAIN'}",
        "the password was refused",
        "kafka://broker:9092/topic",
        "at 12:30: done",
    ],
)
def test_everything_else_stays_readable(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    assert redact("{'a': 1, 'token': 'x', 'b': 2}") == "{'a': 1, 'token': '******', 'b': 2}"


def test_a_mapping_is_redacted_by_its_keys_at_any_depth() -> None:
    given = {"a": 1, "client": {"ssl.key.password": "canary", "note": "password=canary"}, "secret": ["canary"]}
    assert redact_mapping(given) == {
        "a": 1, "client": {"ssl.key.password": HIDDEN, "note": f"password={HIDDEN}"}, "secret": HIDDEN,
    }  # fmt: skip


def test_the_mechanism_is_no_secret() -> None:
    assert is_secret("sasl.password")
    assert not is_secret("sasl.mechanism")

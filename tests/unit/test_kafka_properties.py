"""Java-style properties: translated, or refused with the property to use instead."""

import logging

import pytest

from wiesel.connectors.kafka.naming import progress_topic, transactional_id, wal_directory
from wiesel.connectors.kafka.properties import translate
from wiesel.core.errors import ConfigurationError

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\\"q";'
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required username=u password=p;"
OAUTH = (
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    'clientId="id" clientSecret="secret" scope="s";'
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"bootstrap.servers": "a:1", "acks": "all"}, {"bootstrap.servers": "a:1", "acks": "all"}),
        ({"fetch.max.wait.ms": "10"}, {"fetch.wait.max.ms": "10"}),
        ({"max.request.size": "5"}, {"message.max.bytes": "5"}),
        ({"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": "32768"}),
        ({"receive.buffer.bytes": "-1"}, {"socket.receive.buffer.bytes": "0"}),
        ({"sasl.jaas.config": PLAIN}, {"sasl.username": "u", "sasl.password": 'p"q'}),
        ({"sasl.jaas.config": SCRAM}, {"sasl.username": "u", "sasl.password": "p"}),
        (
            {"sasl.jaas.config": OAUTH},
            {
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.client.id": "id",
                "sasl.oauthbearer.client.secret": "secret",
                "sasl.oauthbearer.scope": "s",
            },
        ),
        ({"ssl.truststore.type": "PEM", "ssl.truststore.location": "ca.pem"}, {"ssl.ca.location": "ca.pem"}),
        (
            {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": "k.p12", "ssl.keystore.password": "x"},
            {"ssl.keystore.location": "k.p12", "ssl.keystore.password": "x"},
        ),
        (
            {"partitioner.class": "org.apache.kafka.clients.producer.internals.DefaultPartitioner"},
            {"partitioner": "murmur2_random"},
        ),
        ({"partition.discovery.interval.ms": "1", "commit.offsets.on.checkpoint": "true"}, {}),
        ({"wiesel.progress-topic": "x"}, {}),
        ({"max.poll.records": "10", "request.timeout.ms": "5"}, {}),
        ({"key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer"}, {}),
    ],
)
def test_a_property_becomes_what_the_client_calls_it(given: dict[str, str], expected: dict[str, str]) -> None:
    assert translate(given) == expected


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        ({"ssl.truststore.location": "t.jks"}, "ssl.ca.location"),
        ({"ssl.keystore.location": "k.jks"}, "PKCS12"),
        ({"partitioner.class": "com.example.Mine"}, "murmur2_random"),
        ({"interceptor.classes": "com.example.Mine"}, "map()"),
        ({"sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required;"}, "sasl.kerberos.keytab"),
        ({"sasl.login.callback.handler.class": "com.example.Aws"}, "sasl.oauthbearer.token.endpoint.url"),
        ({"ssl.truststore.type": "PKCS12", "ssl.truststore.location": "t.p12"}, "ssl.ca.location"),
        ({"sasl.oauthbearer.jwt.retriever.class": "com.example.Mine"}, "sasl.oauthbearer.token.endpoint.url"),
        ({"transactional.id": "mine"}, "set_transactional_id_prefix"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_what_to_use_instead(given: dict[str, str], instead: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        translate(given)
    assert instead in str(refusal.value)


def test_a_refused_login_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        translate({"sasl.jaas.config": 'com.example.Unknown required password="hunter2";'})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "setting", [{"ssl.endpoint.identification.algorithm": ""}, {"enable.ssl.certificate.verification": "false"}]
)
def test_unverified_tls_warns_once_a_process(setting: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    properties = {"security.protocol": "SSL", "ssl.ca.location": f"unique-to-{next(iter(setting))}", **setting}
    translate(properties)
    translate(properties)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "NOT verified" in caplog.text


def test_a_serializer_that_a_schema_replaces_is_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    translate({"value.deserializer": "org.apache.kafka.common.serialization.StringDeserializer"})
    assert "the schema given to the builder does this work" in caplog.text


def test_names_of_transactions_and_topics_are_legal_and_tell_prefixes_apart() -> None:
    assert transactional_id("p", "uid", 3) == "p-uid-3"
    assert progress_topic("my-job") == "__wiesel-progress-my-job"
    odd = {progress_topic("a b"), progress_topic("a/b"), progress_topic("a_b"), progress_topic("x" * 200 + "é")}
    assert len(odd) == 4
    assert all(len(name) <= 249 and name.isascii() and " " not in name and "/" not in name for name in odd)


def test_a_sinks_directory_stays_inside_the_job_directory_whatever_its_name() -> None:
    names = {wal_directory(uid) for uid in ("sink", "../../x", "..", "a/b", "é" * 80, ".hidden")}
    assert len(names) == 6
    assert all(name.startswith("wal/") and name.count("/") == 1 and "/." not in name for name in names)

"""Java-style properties: translated, or refused with the property to use instead."""

import logging
import re

import pytest
from confluent_kafka import KafkaException, Producer

from wiesel.connectors.kafka.naming import progress_topic, transactional_id, wal_directory
from wiesel.connectors.kafka.properties import translate
from wiesel.core.errors import ConfigurationError

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\\"q";'
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required username=u password=p;"
OAUTH = (
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    'clientId="id" clientSecret="secret" scope="s";'
)


#: All that Kafka 4.3's Java producer and consumer can be told.
OF_JAVA = re.findall(
    r"\S+",
    """
acks allow.auto.create.topics auto.commit.interval.ms auto.offset.reset batch.size bootstrap.servers buffer.memory
check.crcs client.dns.lookup client.id client.rack compression.gzip.level compression.lz4.level compression.type
compression.zstd.level config.providers connections.max.idle.ms default.api.timeout.ms default.list.key.serde.inner
default.list.key.serde.type default.list.value.serde.inner default.list.value.serde.type delivery.timeout.ms
enable.auto.commit enable.idempotence enable.metrics.push exclude.internal.topics fetch.max.bytes fetch.max.wait.ms
fetch.min.bytes group.id group.instance.id group.protocol group.remote.assignor heartbeat.interval.ms
interceptor.classes isolation.level key.deserializer key.serializer linger.ms max.block.ms
max.in.flight.requests.per.connection max.partition.fetch.bytes max.poll.interval.ms max.poll.records max.request.size
metadata.max.age.ms metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy
metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms partition.assignment.strategy
partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys
rebalance.timeout.ms receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms request.timeout.ms retries
retry.backoff.max.ms retry.backoff.ms sasl.client.callback.handler.class sasl.jaas.config sasl.kerberos.kinit.cmd
sasl.kerberos.min.time.before.relogin sasl.kerberos.service.name sasl.kerberos.ticket.renew.jitter
sasl.kerberos.ticket.renew.window.factor sasl.login.callback.handler.class sasl.login.class
sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.mechanism sasl.oauthbearer.assertion.algorithm
sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file
sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.template.file
sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwks.endpoint.refresh.ms
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.ms
sasl.oauthbearer.jwks.endpoint.url sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class
sasl.oauthbearer.scope sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name
sasl.oauthbearer.token.endpoint.url security.protocol security.providers send.buffer.bytes session.timeout.ms
share.acknowledgement.mode share.acquire.mode socket.connection.setup.timeout.max.ms
socket.connection.setup.timeout.ms ssl.cipher.suites ssl.client.auth ssl.enabled.protocols
ssl.endpoint.identification.algorithm ssl.engine.factory.class ssl.key.password ssl.keymanager.algorithm
ssl.keystore.certificate.chain ssl.keystore.key ssl.keystore.location ssl.keystore.password ssl.keystore.type
ssl.protocol ssl.provider ssl.secure.random.implementation ssl.trustmanager.algorithm ssl.truststore.certificates
ssl.truststore.location ssl.truststore.password ssl.truststore.type transaction.timeout.ms
transaction.two.phase.commit.enable transactional.id value.deserializer value.serializer
""",
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
        (
            {"compression.type": "zstd", "compression.zstd.level": "9", "compression.gzip.level": "1"},
            {"compression.type": "zstd", "compression.level": "9"},
        ),
        ({"partitioner.ignore.keys": "true"}, {"partitioner": "random"}),
        ({"partitioner.ignore.keys": "false", "transaction.two.phase.commit.enable": "false"}, {}),
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
        ({"transaction.two.phase.commit.enable": "true"}, "EXACTLY_ONCE"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_what_to_use_instead(given: dict[str, str], instead: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        translate(given)
    assert instead in str(refusal.value)


@pytest.mark.parametrize("name", OF_JAVA)
def test_a_property_of_java_s_clients_is_translated_dropped_with_a_line_refused_or_this_client_s_as_well(
    name: str,
) -> None:
    try:
        translated = translate({name: "1"})
    except ConfigurationError:
        return
    for property_of_ours in translated.keys() & {name}:
        # Both kinds of clients know all properties; what is wrong with the value is another error.
        with pytest.raises(KafkaException) as error:
            Producer({property_of_ours: "1", "ssl.engine.location": "/nowhere", "security.protocol": "ssl"})
        assert "No such configuration property" not in str(error.value)


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

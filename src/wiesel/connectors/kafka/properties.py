"""Java-style client properties as users of Flink write them, translated for librdkafka or refused with the fix.

What has no counterpart and no effect on the result is dropped with one log line; what would change the result or the
security of the connection is refused. Keys that neither side knows are found when the client is made (client.py).
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Final

from wiesel.connectors.kafka import oauth
from wiesel.connectors.kafka.jaas import jaas_options
from wiesel.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

#: Read by Flink's source itself, never by a client.
SOURCE_KEYS: Final = frozenset(
    {
        "partition.discovery.interval.ms",
        "commit.offsets.on.checkpoint",
        "register.consumer.metrics",
        "client.id.prefix",
    }
)

#: librdkafka's name where it differs from Java's.
_RENAMED: Final = {
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.partition.fetch.bytes": "fetch.message.max.bytes",
    "max.request.size": "message.max.bytes",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.truststore.certificates": "ssl.ca.pem",
}

#: Java's client tunes something that this client has not, or does by itself.
_WITHOUT_EFFECT: Final = {
    "auto.include.jmx.reporter",
    "client.dns.lookup",
    "config.providers",
    "default.list.key.serde.inner",
    "default.list.key.serde.type",
    "default.list.value.serde.inner",
    "default.list.value.serde.type",
    "default.api.timeout.ms",
    "enable.metrics.push",
    "exclude.internal.topics",
    "group.instance.id",
    "max.block.ms",
    "max.poll.records",
    "metadata.max.idle.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partition.assignment.strategy",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "rebalance.timeout.ms",
    "request.timeout.ms",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "share.acquire.mode",
    "socket.connection.setup.timeout.max.ms",
    "ssl.client.auth",
    "ssl.enabled.protocols",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.keymanager.algorithm",
    "throw.on.fetch.stable.offset.unsupported",
}

_SERIALIZERS: Final = ("key.serializer", "value.serializer", "key.deserializer", "value.deserializer")

_REFUSED: Final = {
    "interceptor.classes": "interceptors are Java classes; do the work in a map() before the sink or after the source",
    "sasl.client.callback.handler.class": "it is a Java class; for OAUTHBEARER set sasl.oauthbearer.token.endpoint.url",
    "sasl.login.class": "it is a Java class",
    "security.providers": "they are Java classes",
    "transactional.id": "the sink names its transactions itself: KafkaSink.builder().set_transactional_id_prefix(...)",
    "ssl.engine.factory.class": "it is a Java class; give PEM files with ssl.ca.location, ssl.certificate.location "
    "and ssl.key.location",
}


def translate(properties: Mapping[str, str]) -> dict[str, str]:
    """Return librdkafka's configuration for Java-style ``properties``.

    Args:
        properties: what the user gave to ``set_property``; librdkafka's own names pass through.

    Raises:
        ConfigurationError: a property that cannot be honoured; the text names the one to use instead.
    """
    return dict(_translated(tuple(sorted(properties.items()))))


@functools.lru_cache(maxsize=64)
def _translated(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    # Once for each set of properties: an exactly-once sink makes a client for every transaction, and warns once.
    result: dict[str, str] = {}
    properties = dict(items)
    for key, value in items:
        if key in SOURCE_KEYS or key.startswith("wiesel."):
            continue
        if key in _WITHOUT_EFFECT:
            logger.info("Kafka property %s has no effect: this client has no such setting", key)
        elif key in _SERIALIZERS:
            _check_serializer(key, value)
        elif key in oauth.KEYS:
            continue
        elif key in _REFUSED:
            raise ConfigurationError(f"Kafka property {key} cannot be used: {_REFUSED[key]}.")
        elif key in _SPECIAL:
            result.update(_SPECIAL[key](value, properties))
        else:
            result[_RENAMED.get(key, key)] = value
    result.update(oauth.translate(properties))
    _warn_about_unverified_tls(result)
    return result


def _check_serializer(key: str, value: str) -> None:
    if not value.endswith((".ByteArraySerializer", ".ByteArrayDeserializer")):
        logger.warning("Kafka property %s has no effect: the schema given to the builder does this work", key)


def _compression_level(codec: str) -> Callable[[str, Mapping[str, str]], dict[str, str]]:
    # Java has a level for each codec, this client one for the codec that is chosen.
    return lambda value, given: {"compression.level": value} if given.get("compression.type") == codec else {}


def _ignore_keys(value: str, _: Mapping[str, str]) -> dict[str, str]:
    return {"partitioner": "random"} if value.strip().lower() == "true" else {}


def _two_phase(value: str, _: Mapping[str, str]) -> dict[str, str]:
    if value.strip().lower() == "true":
        raise ConfigurationError(
            "Kafka property transaction.two.phase.commit.enable cannot be used: EXACTLY_ONCE needs no transaction that "
            "outlives its producer. Leave it out."
        )
    return {}


def _buffer_memory(value: str, _: Mapping[str, str]) -> dict[str, str]:
    return {"queue.buffering.max.kbytes": str(max(1, int(value) // 1024))}


def _buffer_bytes(name: str) -> Callable[[str, Mapping[str, str]], dict[str, str]]:
    # -1 means "the system's default" to Java, 0 does here.
    return lambda value, _: {name: "0" if value.strip() == "-1" else value}


def _partitioner(value: str, _: Mapping[str, str]) -> dict[str, str]:
    known = {
        "org.apache.kafka.clients.producer.internals.DefaultPartitioner": "murmur2_random",
        "org.apache.kafka.clients.producer.UniformStickyPartitioner": "random",
        "org.apache.kafka.clients.producer.RoundRobinPartitioner": "random",
    }
    if value not in known:
        raise ConfigurationError(
            f"Kafka property partitioner.class={value} is a Java class. Set the property partitioner to murmur2_random "
            "(Java's default), murmur2, consistent_random, fnv1a_random or random."
        )
    return {"partitioner": known[value]}


def _jaas(value: str, _: Mapping[str, str]) -> dict[str, str]:
    if "PlainLoginModule" in value or "ScramLoginModule" in value:
        options = jaas_options(value)
        if "username" not in options or "password" not in options:
            raise ConfigurationError("sasl.jaas.config names no username or no password.")
        return {"sasl.username": options["username"], "sasl.password": options["password"]}
    if oauth.is_oauth(value):
        return {}  # a part of what oauth.py translates as a whole
    raise ConfigurationError(
        "sasl.jaas.config can be translated for PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule. "
        "For Kerberos set sasl.kerberos.service.name, sasl.kerberos.principal and sasl.kerberos.keytab instead."
    )


def _truststore(value: str, properties: Mapping[str, str]) -> dict[str, str]:
    if properties.get("ssl.truststore.type", "JKS").upper() == "PEM":
        return {"ssl.ca.location": value}
    raise ConfigurationError(
        "Kafka property ssl.truststore.location names a Java key store. Export its certificates as PEM "
        "(keytool -exportcert -rfc) and set ssl.ca.location to that file."
    )


def _keystore(value: str, properties: Mapping[str, str]) -> dict[str, str]:
    kind = properties.get("ssl.keystore.type", "JKS").upper()
    if kind == "PKCS12" or value.endswith((".p12", ".pfx")):
        return {"ssl.keystore.location": value}
    if kind == "PEM":
        # One file with key and certificate chain, as Java wants it; librdkafka reads either from it.
        return {"ssl.certificate.location": value, "ssl.key.location": value}
    raise ConfigurationError(
        "Kafka property ssl.keystore.location names a Java key store. Convert it (keytool -importkeystore "
        "-deststoretype PKCS12) and set ssl.keystore.type=PKCS12, or set ssl.certificate.location and ssl.key.location "
        "to PEM files."
    )


def _endpoint_identification(value: str, _: Mapping[str, str]) -> dict[str, str]:
    return {"ssl.endpoint.identification.algorithm": value.strip().lower() or "none"}


def _nothing(_: str, __: Mapping[str, str]) -> dict[str, str]:
    return {}


_SPECIAL: Final[dict[str, Callable[[str, Mapping[str, str]], dict[str, str]]]] = {
    "buffer.memory": _buffer_memory,
    "compression.gzip.level": _compression_level("gzip"),
    "compression.lz4.level": _compression_level("lz4"),
    "compression.zstd.level": _compression_level("zstd"),
    "partitioner.ignore.keys": _ignore_keys,
    "partitioner.class": _partitioner,
    "receive.buffer.bytes": _buffer_bytes("socket.receive.buffer.bytes"),
    "sasl.jaas.config": _jaas,
    "send.buffer.bytes": _buffer_bytes("socket.send.buffer.bytes"),
    "ssl.endpoint.identification.algorithm": _endpoint_identification,
    "ssl.keystore.location": _keystore,
    "ssl.keystore.type": _nothing,
    "ssl.truststore.location": _truststore,
    "ssl.truststore.password": _nothing,
    "ssl.truststore.type": _nothing,
    "transaction.two.phase.commit.enable": _two_phase,
}


def _warn_about_unverified_tls(configuration: Mapping[str, str]) -> None:
    if "SSL" not in configuration.get("security.protocol", "").upper():
        return
    if configuration.get("enable.ssl.certificate.verification", "true").lower() in ("false", "0"):
        logger.warning("TLS to Kafka is NOT verified (enable.ssl.certificate.verification=false)")
    elif configuration.get("ssl.endpoint.identification.algorithm", "https") == "none":
        logger.warning(
            "the host name in Kafka's certificate is NOT verified (ssl.endpoint.identification.algorithm is empty)"
        )

"""How a registry is reached: the properties of Confluent's Java client, translated or refused with the fix.

Flink passes them on to that client (``registryConfigs``). The prefix ``schema.registry.`` is optional where it has it.
"""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from wiesel.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

_PREFIX: Final = "schema.registry."

#: Read by serializers and not by the connection.
_OF_SERIALIZERS: Final = frozenset(
    {"auto.register.schemas", "use.latest.version", "normalize.schemas", "json.fail.invalid.schema"}
)
_KNOWN: Final = _OF_SERIALIZERS | {
    "basic.auth.credentials.source",
    "basic.auth.user.info",
    "bearer.auth.credentials.source",
    "bearer.auth.token",
    "bearer.auth.issuer.endpoint.url",
    "bearer.auth.client.id",
    "bearer.auth.client.secret",
    "bearer.auth.scope",
    "bearer.auth.logical.cluster",
    "bearer.auth.identity.pool.id",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.endpoint.identification.algorithm",
    "request.timeout.ms",
}


@dataclass(frozen=True)
class Oauth:
    """A token endpoint and what it wants (client credentials)."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True)
class RegistryConnection:
    """Where registries are and how they know us; its text shows no secret.

    Args:
        urls: without credentials, tried one after the other.
        headers: sent with every request.
        oauth: where the bearer's token comes from, if from a server.
        tls: what ``tls_context`` makes a context of.
        timeout_seconds: of one request.
    """

    urls: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    oauth: Oauth | None = None
    tls: Mapping[str, str] = field(repr=False, default_factory=dict)
    timeout_seconds: float = 10.0


def connection_of(url: str, properties: Mapping[str, Any]) -> RegistryConnection:
    """Return the connection to a registry.

    Args:
        url: one, or several behind commas.
        properties: as for Confluent's Java client.

    Raises:
        ConfigurationError: something is missing, or cannot be honoured here; names what to use instead.
    """
    given = {str(key).removeprefix(_PREFIX): str(value) for key, value in properties.items()}
    for key in sorted(given.keys() - _KNOWN):
        logger.warning("schema registry property %s has no effect: there is no such setting here", key)
    urls, in_url = _urls(url)
    tls = _tls(given)
    if tls and not any(url.startswith("https:") for url in urls):
        raise ConfigurationError(
            f"TLS properties are set, but the schema registry's URL is {urls[0]}: use one with https."
        )
    headers, oauth = _credentials(given, in_url)
    timeout = int(given.get("request.timeout.ms", "10000")) / 1000
    return RegistryConnection(urls, headers, oauth, tls, timeout)


def _urls(text: str) -> tuple[tuple[str, ...], str | None]:
    """Return the URLs without the user that one of them may name, and that user."""
    urls, user = [], None
    for one in filter(None, (part.strip() for part in str(text).split(","))):
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError("A schema registry's URL begins with http:// or https:// and names a host.")
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        urls.append(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/"))
    if not urls:
        raise ConfigurationError("The schema registry's URL is empty.")
    return tuple(urls), user


def _credentials(given: Mapping[str, str], in_url: str | None) -> tuple[dict[str, str], Oauth | None]:
    bearer = given.get("bearer.auth.credentials.source", "").upper()
    if bearer == "STATIC_TOKEN":
        return {"Authorization": f"Bearer {_required(given, 'bearer.auth.token')}"}, None
    if bearer == "OAUTHBEARER":
        names = {
            "target-sr-cluster": "bearer.auth.logical.cluster",
            "Confluent-Identity-Pool-Id": "bearer.auth.identity.pool.id",
        }
        endpoint = _required(given, "bearer.auth.issuer.endpoint.url")
        identity, secret = _required(given, "bearer.auth.client.id"), _required(given, "bearer.auth.client.secret")
        oauth = Oauth(endpoint, identity, secret, given.get("bearer.auth.scope"))
        return {name: given[key] for name, key in names.items() if key in given}, oauth
    if bearer:
        raise ConfigurationError("bearer.auth.credentials.source can be STATIC_TOKEN or OAUTHBEARER here.")
    source = given.get("basic.auth.credentials.source", "URL").upper()
    if source == "USER_INFO" or (source == "URL" and "basic.auth.user.info" in given):
        return _basic(_required(given, "basic.auth.user.info")), None
    if source != "URL":
        raise ConfigurationError(
            f"basic.auth.credentials.source={source} cannot be used: set it to USER_INFO, and basic.auth.user.info to "
            "<user>:<password>."
        )
    return (_basic(in_url) if in_url is not None else {}), None


def _basic(user_info: str) -> dict[str, str]:
    if ":" not in user_info:
        raise ConfigurationError("basic.auth.user.info is <user>:<password>, and has no colon.")
    return {"Authorization": "Basic " + base64.b64encode(user_info.encode()).decode()}


def _required(given: Mapping[str, str], key: str) -> str:
    value = given.get(key)
    if not value:
        raise ConfigurationError(f"The schema registry's properties lack {key}.")
    return value


# ----------------------------------------------------------------------------------------------------------- TLS


def _tls(given: Mapping[str, str]) -> dict[str, str]:
    instead_of = {"truststore": "ssl.ca.location", "keystore": "ssl.certificate.location and ssl.key.location"}
    for store, instead in instead_of.items():
        if f"ssl.{store}.location" in given and given.get(f"ssl.{store}.type", "JKS").upper() != "PEM":
            raise ConfigurationError(
                f"schema registry property ssl.{store}.location names a Java key store. Export it as PEM "
                f"(openssl pkcs12, keytool -exportcert -rfc) and set {instead} to the files."
            )
    renamed = {
        "ca": given.get("ssl.ca.location") or given.get("ssl.truststore.location"),
        "certificate": given.get("ssl.certificate.location") or given.get("ssl.keystore.location"),
        "key": given.get("ssl.key.location"),
        "password": given.get("ssl.key.password") or given.get("ssl.keystore.password"),
        "identification": given.get("ssl.endpoint.identification.algorithm", "https").strip().lower() or "none",
    }
    tls = {name: value for name, value in renamed.items() if value}
    if tls["identification"] == "https":
        del tls["identification"]
    for name in ("ca", "certificate", "key"):
        if name in tls and not Path(tls[name]).is_file():
            raise ConfigurationError(f"There is no file {tls[name]}, which the schema registry's TLS properties name.")
    return tls


def tls_context(connection: RegistryConnection) -> ssl.SSLContext:
    """Return the context that requests are made with; certificates are always verified, host names by default.

    Raises:
        ConfigurationError: a file holds no certificate, or no key that fits.
    """
    tls = connection.tls
    try:
        context = ssl.create_default_context(cafile=tls.get("ca"))
        if "certificate" in tls:
            password = tls.get("password")
            # A function, so that a key that turns out to be encrypted never asks at the terminal.
            context.load_cert_chain(tls["certificate"], tls.get("key"), lambda: password or "")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The schema registry's TLS files cannot be used: {error}.") from None
    if tls.get("identification") == "none":
        logger.warning("the host name in the schema registry's certificate is NOT verified")
        context.check_hostname = False
    return context

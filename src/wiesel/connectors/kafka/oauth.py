"""OAUTHBEARER as Java's client is told to log in, in librdkafka's words; and tokens that lie in a file.

Java chooses where tokens come from by classes (a callback handler, a retriever) and by the scheme of the endpoint's
address; librdkafka by `sasl.oauthbearer.method` and `sasl.oauthbearer.grant.type`, and it has no files.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, unquote, urlsplit

from wiesel.connectors.kafka.jaas import jaas_options
from wiesel.core.clock import SystemClock
from wiesel.core.errors import AuthorizationError, ConfigurationError

logger = logging.getLogger(__name__)

_PREFIX: Final = "sasl.oauthbearer."
_JAAS: Final = "sasl.jaas.config"
_HANDLER: Final = "sasl.login.callback.handler.class"
_RETRIEVER: Final = f"{_PREFIX}jwt.retriever.class"
_VALIDATOR: Final = f"{_PREFIX}jwt.validator.class"
_ENDPOINT: Final = f"{_PREFIX}token.endpoint.url"
_TEMPLATE: Final = f"{_PREFIX}assertion.template.file"
_URL_ENCODED: Final = f"{_PREFIX}header.urlencode"
_METHOD: Final = f"{_PREFIX}method"
_EXTENSIONS: Final = f"{_PREFIX}extensions"
_SUBJECT: Final = f"{_PREFIX}sub.claim.name"
#: Ours, in a translated configuration only: the file that holds the token.
_TOKEN_FILE: Final = f"{_PREFIX}token.file"

#: What Java's client checks of a token, or lets be said and leaves to brokers: they check it again.
_CHECKED_BY_BROKERS: Final = frozenset(
    {
        _VALIDATOR,
        f"{_PREFIX}clock.skew.seconds",
        f"{_PREFIX}expected.audience",
        f"{_PREFIX}expected.issuer",
        f"{_PREFIX}jwks.endpoint.refresh.ms",
        f"{_PREFIX}jwks.endpoint.retry.backoff.max.ms",
        f"{_PREFIX}jwks.endpoint.retry.backoff.ms",
        f"{_PREFIX}jwks.endpoint.url",
        f"{_PREFIX}scope.claim.name",
    }
)
#: Java's properties that are translated here.
KEYS: Final = _CHECKED_BY_BROKERS | {_HANDLER, _RETRIEVER, _ENDPOINT, _TEMPLATE, _URL_ENCODED}

_KAFKAS: Final = r"org\.apache\.kafka\..*\."
_LOGIN_HANDLER: Final = re.compile(rf"{_KAFKAS}OAuthBearerLoginCallbackHandler")
_UNSECURED_HANDLER: Final = re.compile(rf"{_KAFKAS}OAuthBearerUnsecuredLoginCallbackHandler")
_KAFKAS_RETRIEVER: Final = re.compile(rf"{_KAFKAS}(ClientCredentials|Default|File|JwtBearer)JwtRetriever")
_KAFKAS_VALIDATOR: Final = re.compile(rf"{_KAFKAS}(Client|Default|Broker)JwtValidator")

# Without equals signs: what stands behind one is hidden where messages are shown, as a secret may.
_AMAZON: Final = (
    " For Amazon's IAM set sasl.mechanism to OAUTHBEARER, sasl.oauthbearer.method to oidc, "
    "sasl.oauthbearer.metadata.authentication.type to aws_iam and sasl.oauthbearer.config to region and audience, and "
    "install confluent-kafka[oauthbearer-aws]."
)
_INSTEAD: Final = (
    "Tokens come from where sasl.oauthbearer.token.endpoint.url says: an https:// address, asked with "
    "sasl.oauthbearer.client.credentials.client.id and ….secret or with sasl.oauthbearer.assertion.…, or a file:///…"
)

#: The client's own names of the options that a JAAS line may have.
_CREDENTIALS: Final = {"clientId": "client.id", "clientSecret": "client.secret", "scope": "scope"}
#: Java's newer properties for the same, which win.
_NEWER: Final = {"client.id": "client.credentials.client.id", "client.secret": "client.credentials.client.secret"}
#: Left as they are by Java's encoder of forms, and not by Python's, and the other way round.
_SAFE_IN_FORMS: Final = "*"


class _Kind(enum.Enum):
    """Where tokens come from."""

    CREDENTIALS = enum.auto()
    ASSERTION = enum.auto()
    FILE = enum.auto()
    UNSECURED = enum.auto()


_OF_RETRIEVER: Final = {
    "ClientCredentials": _Kind.CREDENTIALS,
    "File": _Kind.FILE,
    "JwtBearer": _Kind.ASSERTION,
}


def is_oauth(line: str) -> bool:
    """Whether a line of `sasl.jaas.config` is for OAUTHBEARER."""
    return "OAuthBearerLoginModule" in line


def translate(properties: Mapping[str, str]) -> dict[str, str]:
    """Return librdkafka's configuration for the OAUTHBEARER part of Java-style properties.

    Raises:
        ConfigurationError: a class of the user's, or an option that cannot be honoured; the text says what can be.
    """
    line = properties.get(_JAAS, "")
    options = jaas_options(line) if is_oauth(line) else {}
    kind = _kind(properties, options)
    _check_classes(properties)
    for key in sorted(_CHECKED_BY_BROKERS & properties.keys()):
        logger.info("Kafka property %s has no effect: brokers check tokens", key)
    if kind is None:
        return {key: properties[key] for key in (_ENDPOINT,) if key in properties}
    if kind is _Kind.UNSECURED:
        return _unsecured(options)
    result = _token_endpoint_tls(options)
    extensions = _extensions(options, "extension_")
    if extensions:
        result[_EXTENSIONS] = ",".join(f"{name}={value}" for name, value in extensions.items())
    _refuse_unknown(options, ("extension_", "ssl."), set(_CREDENTIALS))
    if kind is _Kind.FILE:
        return {**result, _TOKEN_FILE: _path_of(properties.get(_ENDPOINT, ""))}
    result |= {_METHOD: "oidc"} | {key: properties[key] for key in (_ENDPOINT,) if key in properties}
    if kind is _Kind.ASSERTION:
        result[f"{_PREFIX}grant.type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if _TEMPLATE in properties:
            result[f"{_PREFIX}assertion.jwt.template.file"] = properties[_TEMPLATE]
        if "scope" in options:
            result[f"{_PREFIX}scope"] = options["scope"]
        return result
    return result | _credentials(properties, options)


def _kind(properties: Mapping[str, str], options: Mapping[str, str]) -> _Kind | None:
    """Return where Java would have tokens from; None where nothing of Java's is said."""
    handler, retriever = properties.get(_HANDLER), properties.get(_RETRIEVER)
    if handler is None and any(name.startswith("unsecuredLogin") for name in options):
        return _Kind.UNSECURED
    if handler is not None:
        if _UNSECURED_HANDLER.fullmatch(handler):
            return _Kind.UNSECURED
        if not _LOGIN_HANDLER.fullmatch(handler):
            amazon = _AMAZON if "msk" in handler.lower() else ""
            raise ConfigurationError(f"{handler} in {_HANDLER} is a Java class. {_INSTEAD}.{amazon}")
    by_scheme = _Kind.FILE if properties.get(_ENDPOINT, "").lower().startswith("file:") else None
    if retriever is not None:
        known = _KAFKAS_RETRIEVER.fullmatch(retriever)
        if known is None:
            raise ConfigurationError(f"{retriever} in {_RETRIEVER} is a Java class. {_INSTEAD}.")
        return _OF_RETRIEVER.get(known[1], by_scheme or _Kind.CREDENTIALS)
    if by_scheme is not None:
        return by_scheme
    return _Kind.CREDENTIALS if handler is not None or options else None


def _check_classes(properties: Mapping[str, str]) -> None:
    validator = properties.get(_VALIDATOR)
    if validator is not None and not _KAFKAS_VALIDATOR.fullmatch(validator):
        raise ConfigurationError(f"{validator} in {_VALIDATOR} is a Java class. Leave it out; brokers check tokens.")


def _credentials(properties: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    result = {
        f"{_PREFIX}{ours}": options[java]
        for java, ours in _CREDENTIALS.items()
        if java in options and f"{_PREFIX}{_NEWER.get(ours, ours)}" not in properties
    }
    if properties.get(_URL_ENCODED, "false").strip().lower() != "true":
        return result
    # Encoded before they go into the header, as RFC 6749 asks for; librdkafka takes them as they are.
    for old, newer in _NEWER.items():
        given = properties.get(f"{_PREFIX}{newer}", result.pop(f"{_PREFIX}{old}", None))
        if given is not None:
            result[f"{_PREFIX}{newer}"] = quote_plus(given, safe=_SAFE_IN_FORMS).replace("~", "%7E")
    return result


def _unsecured(options: Mapping[str, str]) -> dict[str, str]:
    """Tokens that nobody signs, made by the client itself: for brokers that are set up for tests."""
    names = {
        "unsecuredLoginStringClaim_sub": "principal",
        "unsecuredLoginLifetimeSeconds": "lifeSeconds",
        "unsecuredLoginListClaim_scope": "scope",
    }
    _refuse_unknown(options, ("unsecuredLoginExtension_",), set(names))
    parts = {ours: options[java] for java, ours in names.items() if java in options}
    if "scope" in parts:
        # Java's lists begin with the character that stands between their elements.
        parts["scope"] = ",".join(parts["scope"][1:].split(parts["scope"][:1])) if parts["scope"] else ""
    parts |= {f"extension_{name}": value for name, value in _extensions(options, "unsecuredLoginExtension_").items()}
    if "principal" not in parts:
        raise ConfigurationError(f"{_JAAS} names no unsecuredLoginStringClaim_sub, the principal of its tokens.")
    if any(re.search(r"\s", value) for value in parts.values()):
        raise ConfigurationError(f"The claims of an unsecured token in {_JAAS} can hold no blanks here.")
    logger.warning("tokens for Kafka are NOT signed (unsecuredLogin…): brokers other than those for tests refuse them")
    config = " ".join(f"{name}={value}" for name, value in parts.items())
    return {"enable.sasl.oauthbearer.unsecure.jwt": "true", f"{_PREFIX}config": config}


def _extensions(options: Mapping[str, str], prefix: str) -> dict[str, str]:
    found = {name.removeprefix(prefix): value for name, value in options.items() if name.startswith(prefix)}
    for name, value in found.items():
        if "," in value or not name:
            raise ConfigurationError(f"{_JAAS} option {prefix}{name} cannot be used: its value must have no comma.")
    return found


def _token_endpoint_tls(options: Mapping[str, str]) -> dict[str, str]:
    """Java's line may hold the trust store for the token endpoint's certificate."""
    given = {name.removeprefix("ssl."): value for name, value in options.items() if name.startswith("ssl.")}
    if not given:
        return {}
    location, pem = given.pop("truststore.location", None), given.pop("truststore.certificates", None)
    kind = given.pop("truststore.type", "JKS").upper()
    given.pop("truststore.password", None)
    if given or kind != "PEM":
        what = ", ".join(f"ssl.{name}" for name in given) or f"ssl.truststore.type={kind}"
        raise ConfigurationError(
            f"{_JAAS} option {what} cannot be used. For the token endpoint's certificate export the trust store as PEM "
            "and set the property https.ca.location to that file."
        )
    found = {"https.ca.location": location, "https.ca.pem": pem}
    return {key: value for key, value in found.items() if value is not None}


def _refuse_unknown(options: Mapping[str, str], prefixes: tuple[str, ...], known: set[str]) -> None:
    unknown = sorted(name for name in options if name not in known and not name.startswith(prefixes))
    if unknown:
        raise ConfigurationError(
            f"{_JAAS} option {', '.join(unknown)} cannot be used here. For OAUTHBEARER it takes "
            f"{', '.join(sorted(known))} and {', '.join(f'{prefix}…' for prefix in prefixes)}."
        )


# ------------------------------------------------------------------------------------------------ tokens in files


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.lower() != "file" or not parts.path or parts.netloc not in ("", "localhost"):
        raise ConfigurationError(f"Kafka property {_ENDPOINT} must be file:///…, the file that holds the token.")
    return unquote(parts.path)


class TokenFile:
    """Gives the client the token that a file holds, whenever it wants a new one; whoever renews it replaces the file.

    Args:
        path: holds one JSON web token and nothing else.
        extensions: for the broker, beside the token.
        subject: the claim that names the principal.
    """

    def __init__(self, path: Path, extensions: Mapping[str, str], subject: str) -> None:
        self._path = path
        self._extensions = dict(extensions)
        self._subject = subject

    def __call__(self, _configuration: str) -> tuple[str, float, str, dict[str, str]]:
        """Return token, when it ends (seconds since 1970), principal and extensions (the client's ``oauth_cb``)."""
        try:
            return self.read()
        except (ConfigurationError, AuthorizationError) as error:
            logger.warning("%s", error)  # the client tells only that its callback failed
            raise

    def read(self) -> tuple[str, float, str, dict[str, str]]:
        """Return the same.

        Raises:
            ConfigurationError: there is no such file, or no token in it.
            AuthorizationError: the token has ended.
        """
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no ASCII"
            raise ConfigurationError(f"The token for Kafka cannot be read ({reason}) from {self._path}") from None
        claims = _claims(token)
        ends, principal = claims.get("exp"), claims.get(self._subject)
        if not isinstance(ends, int | float) or not isinstance(principal, str):
            raise ConfigurationError(
                f"{self._path} holds no JSON web token with the claims exp and {self._subject}, which Kafka's clients "
                f"need ({_SUBJECT} names another claim)."
            )
        if ends * 1000 <= SystemClock().now_ms():
            raise AuthorizationError(
                f"The token for Kafka in {self._path} has ended. Look at what should have renewed the file."
            )
        return token, float(ends), principal, self._extensions


def _claims(token: str) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def with_tokens(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a translated configuration with the callback that reads tokens, where they come from a file.

    Raises:
        ConfigurationError, AuthorizationError: the file holds no token that can be used now.
    """
    result = dict(configuration)
    path = result.pop(_TOKEN_FILE, None)
    if path is None:
        return result
    extensions = dict(part.split("=", 1) for part in str(result.pop(_EXTENSIONS, "")).split(",") if part)
    tokens = TokenFile(Path(path), extensions, str(result.pop(_SUBJECT, "sub")))
    tokens.read()  # a client would wait ten seconds for it, and not say what is wrong
    return {**result, "oauth_cb": tokens}

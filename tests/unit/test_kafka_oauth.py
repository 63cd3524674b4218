"""OAUTHBEARER as Java's clients are told: translated, or refused by name; and tokens that lie in a file."""

from __future__ import annotations

import base64
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from wiesel.connectors.kafka.oauth import with_tokens
from wiesel.connectors.kafka.properties import translate
from wiesel.core.errors import AuthorizationError, ConfigurationError
from wiesel.core.redaction import redact

PACKAGE = "org.apache.kafka.common.security.oauthbearer"
MODULE = f"{PACKAGE}.OAuthBearerLoginModule required"
HANDLER = {"sasl.login.callback.handler.class": f"{PACKAGE}.OAuthBearerLoginCallbackHandler"}
RETRIEVER = "sasl.oauthbearer.jwt.retriever.class"
URL = {"sasl.oauthbearer.token.endpoint.url": "https://login.example/token"}
OIDC = {"sasl.oauthbearer.method": "oidc"}


def token(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "none"}, claims)]
    return ".".join(part.rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {
                **HANDLER,
                **URL,
                "sasl.jaas.config": f'{MODULE} clientId="id" clientSecret="s\\"x" scope="kafka" '
                'extension_logicalCluster="lkc-1" extension_identityPoolId="pool-2";',
            },
            {
                **OIDC,
                **URL,
                "sasl.oauthbearer.client.id": "id",
                "sasl.oauthbearer.client.secret": 's"x',
                "sasl.oauthbearer.scope": "kafka",
                "sasl.oauthbearer.extensions": "logicalCluster=lkc-1,identityPoolId=pool-2",
            },
            id="client credentials with extensions",
        ),
        pytest.param(
            {
                **HANDLER,
                **URL,
                "sasl.oauthbearer.client.credentials.client.id": "newer",
                "sasl.oauthbearer.client.credentials.client.secret": "newer",
                "sasl.oauthbearer.scope": "newer",
                "sasl.jaas.config": f'{MODULE} clientId="older" clientSecret="older" scope="older";',
            },
            {
                **OIDC,
                **URL,
                "sasl.oauthbearer.client.credentials.client.id": "newer",
                "sasl.oauthbearer.client.credentials.client.secret": "newer",
                "sasl.oauthbearer.scope": "newer",
            },
            id="Java's newer properties win over the line",
        ),
        pytest.param(
            {
                **HANDLER,
                **URL,
                "sasl.oauthbearer.header.urlencode": "true",
                "sasl.jaas.config": f'{MODULE} clientId="my id" clientSecret="a+b/~";',
            },
            {
                **OIDC,
                **URL,
                "sasl.oauthbearer.client.credentials.client.id": "my+id",
                "sasl.oauthbearer.client.credentials.client.secret": "a%2Bb%2F%7E",
            },
            id="encoded for the header",
        ),
        pytest.param(
            {**URL, RETRIEVER: f"{PACKAGE}.JwtBearerJwtRetriever", "sasl.oauthbearer.scope": "s"}
            | {
                "sasl.oauthbearer.assertion.private.key.file": "key.pem",
                "sasl.oauthbearer.assertion.algorithm": "RS256",
                "sasl.oauthbearer.assertion.claim.iss": "me",
                "sasl.oauthbearer.assertion.template.file": "template.json",
            },
            {
                **OIDC,
                **URL,
                "sasl.oauthbearer.grant.type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "sasl.oauthbearer.scope": "s",
                "sasl.oauthbearer.assertion.private.key.file": "key.pem",
                "sasl.oauthbearer.assertion.algorithm": "RS256",
                "sasl.oauthbearer.assertion.claim.iss": "me",
                "sasl.oauthbearer.assertion.jwt.template.file": "template.json",
            },
            id="an assertion signed by the client",
        ),
        pytest.param(
            {"sasl.jaas.config": f'{MODULE} unsecuredLoginStringClaim_sub="me" unsecuredLoginListClaim_scope="|a|b";'},
            {
                "enable.sasl.oauthbearer.unsecure.jwt": "true",
                "sasl.oauthbearer.config": "principal=me scope=a,b",
            },
            id="Java's tokens for tests",
        ),
        pytest.param(
            {
                **HANDLER,
                **URL,
                "sasl.jaas.config": f'{MODULE} clientId="i" clientSecret="s" ssl.truststore.type="PEM" '
                'ssl.truststore.location="ca.pem";',
            },
            {
                **OIDC,
                **URL,
                "https.ca.location": "ca.pem",
                "sasl.oauthbearer.client.id": "i",
                "sasl.oauthbearer.client.secret": "s",
            },
            id="the endpoint's certificate",
        ),
        pytest.param(
            {
                **OIDC,
                **URL,
                "sasl.oauthbearer.jwks.endpoint.url": "https://login.example/keys",
                "sasl.oauthbearer.expected.audience": "kafka",
                "sasl.oauthbearer.scope.claim.name": "scp",
                "sasl.oauthbearer.jwt.validator.class": f"{PACKAGE}.ClientJwtValidator",
            },
            {**OIDC, **URL},
            id="what brokers check",
        ),
    ],
)
def test_what_java_is_told_becomes_what_this_client_is_told(given: dict[str, str], expected: dict[str, str]) -> None:
    translated = translate(given)
    assert translated == expected
    assert translate(translated) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"sasl.login.callback.handler.class": "com.example.Mine"},
            "com.example.Mine in sasl.login.callback.handler.class is a Java class. Tokens come",
        ),
        (
            {"sasl.login.callback.handler.class": "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler"},
            "sasl.oauthbearer.metadata.authentication.type to aws_iam",
        ),
        ({RETRIEVER: "com.example.Mine"}, f"com.example.Mine in {RETRIEVER} is a Java class"),
        (
            {"sasl.oauthbearer.jwt.validator.class": "com.example.Mine"},
            "com.example.Mine in sasl.oauthbearer.jwt.validator.class is a",
        ),
        ({"sasl.jaas.config": f'{MODULE} clientId="i" clientSecrets="hidden";'}, "option clientSecrets cannot be used"),
        ({"sasl.jaas.config": f'{MODULE} clientId="i" extension_a="b,c";'}, "option extension_a cannot be used"),
        (
            {"sasl.jaas.config": f'{MODULE} clientId="i" ssl.truststore.location="t.jks";'},
            "https.ca.location",
        ),
        ({"sasl.jaas.config": f'{MODULE} clientId="i" ssl.protocol="TLSv1";'}, "ssl.protocol cannot be used"),
        ({"sasl.jaas.config": f'{MODULE} unsecuredLoginNumberClaim_x="1";'}, "unsecuredLoginNumberClaim_x cannot"),
        ({"sasl.jaas.config": f'{MODULE} unsecuredLoginLifetimeSeconds="9";'}, "no unsecuredLoginStringClaim_sub"),
        ({RETRIEVER: f"{PACKAGE}.FileJwtRetriever", **URL}, "must be file:///"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        translate(given)
    assert said in str(refusal.value)
    assert "hidden" not in str(refusal.value)
    assert redact(str(refusal.value)) == str(refusal.value), "nothing that helps is hidden when it is shown"


def test_tokens_for_tests_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    translate({"sasl.jaas.config": f'{MODULE} unsecuredLoginStringClaim_sub="warned-about";'})
    assert [record.levelno for record in caplog.records if "NOT signed" in record.getMessage()] == [logging.WARNING]


def in_file(path: Path, **properties: str) -> dict[str, str]:
    return translate({"sasl.oauthbearer.token.endpoint.url": path.as_uri(), **HANDLER, **properties})


def test_a_file_is_read_again_whenever_the_client_wants_a_token(tmp_path: Path) -> None:
    path, ends = tmp_path / "a token", time.time() + 600
    path.write_text(token(sub="me", exp=ends) + "\n")
    line = f'{MODULE} extension_logicalCluster="lkc-1";'
    configuration = with_tokens({"bootstrap.servers": "b:1", **in_file(path, **{"sasl.jaas.config": line})})
    assert configuration.keys() == {"bootstrap.servers", "oauth_cb"}
    tokens = configuration["oauth_cb"]
    assert tokens("") == (token(sub="me", exp=ends), ends, "me", {"logicalCluster": "lkc-1"})
    path.write_text(token(sub="other", exp=ends + 1))
    assert tokens("")[:3] == (token(sub="other", exp=ends + 1), ends + 1, "other")


def test_the_principal_may_be_another_claim(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(token(azp="me", exp=time.time() + 600))
    configuration = with_tokens(in_file(path, **{"sasl.oauthbearer.sub.claim.name": "azp"}))
    assert configuration["oauth_cb"]("")[2] == "me"


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (None, ConfigurationError, "cannot be read (No such file or directory) from"),
        ("opaque-secret", ConfigurationError, "exp and sub"),
        ("a.%.c", ConfigurationError, "exp and sub"),
        ("a.W10.c", ConfigurationError, "exp and sub"),
        (token(sub="secret"), ConfigurationError, "exp and sub"),
        (token(exp=time.time() + 600), ConfigurationError, "exp and sub"),
        ("tökén", ConfigurationError, "it is no ASCII"),
        (token(sub="secret", exp=1), AuthorizationError, "has ended"),
    ],
)
def test_a_file_without_a_token_is_named_before_a_client_is_made_and_its_content_is_not_shown(
    tmp_path: Path, content: str | None, error: type[Exception], said: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(error) as refusal:
        with_tokens(in_file(path))
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert redact(str(refusal.value)) == str(refusal.value)


def test_what_is_wrong_with_a_file_later_is_said_because_the_client_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(token(sub="me", exp=time.time() + 600))
    tokens = with_tokens(in_file(path))["oauth_cb"]
    path.unlink()
    with pytest.raises(ConfigurationError):
        tokens("")
    assert "No such file" in caplog.text

"""OAUTHBEARER beyond client credentials, as jobs through a real listener: a token in a file, a signed assertion."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.integration.job_process import CountJob, counted
from tests.integration.test_security_modes import (
    OAUTH,
    PASSWORD,
    TokenEndpoint,
    assert_counts,
    broker,
    certificates,
    endpoint,
    job,
    through,
)
from wiesel.broker.admin import Admin
from wiesel.broker.client import Cluster
from wiesel.broker.errors import BrokerError
from wiesel.broker.local import LocalBroker
from wiesel.broker.transactions import Transactions
from wiesel.connectors.kafka.oauth import with_tokens
from wiesel.connectors.kafka.properties import translate
from wiesel.core import exit_codes

__all__ = ["broker", "certificates", "endpoint", "job"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Long enough for a job to start in, on a machine with other things to do.
TOKEN_SECONDS = 20
PACKAGE = "org.apache.kafka.common.security.oauthbearer"


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def token(seconds: float = TOKEN_SECONDS) -> str:
    """An unsigned token, as Kafka's own handler for tests takes them."""
    now = time.time()
    claims = {"sub": "job", "iat": now, "exp": now + seconds, "scope": "kafka"}
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


@contextmanager
def renewed(path: Path) -> Iterator[None]:
    """A file whose token is replaced all the time, as Kubernetes does."""
    enough = threading.Event()

    def renew() -> None:
        while not enough.is_set():
            new = path.with_suffix(".new")
            new.write_text(token())
            new.replace(path)
            enough.wait(0.5)

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        while not path.exists():
            time.sleep(0.01)
        yield
    finally:
        enough.set()
        thread.join()


def file_login(broker: LocalBroker, path: Path) -> tuple[str, ...]:
    return through(
        broker,
        "TOKEN",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_login_callback_handler_class=f"{PACKAGE}.OAuthBearerLoginCallbackHandler",
        sasl_oauthbearer_token_endpoint_url=path.as_uri(),
        sasl_jaas_config=f'{OAUTH} extension_traceId="one";',
    )


@pytest.mark.exhaustive
def test_a_job_outlives_the_tokens_of_a_file(broker: LocalBroker, job: CountJob, tmp_path: Path) -> None:
    path = tmp_path / "token"
    job.produce("a", "b")
    with (
        renewed(path),
        job.place.start(*job.arguments(script=(*file_login(broker, path), "--unbounded"))) as running,
    ):
        running.wait_until(lambda: job.published() == counted(["a", "b"]))
        ended = time.monotonic() + TOKEN_SECONDS
        running.wait_until(lambda: time.monotonic() > ended)
        job.produce("a", "c")
        running.wait_until(lambda: job.published() == counted(["a", "b", "a", "c"]))


def test_a_file_without_a_good_token_is_named_at_the_start(broker: LocalBroker, job: CountJob, tmp_path: Path) -> None:
    path = tmp_path / "token"
    missing = job.run(script=file_login(broker, path))
    missing.assert_failed(exit_codes.USAGE, str(path), "cannot be read")
    path.write_text(token(-60))
    job.run(script=file_login(broker, path)).assert_failed(exit_codes.OUTSIDE_SYSTEM, str(path), "has ended")


@pytest.mark.exhaustive
def test_a_token_that_ends_and_is_not_renewed_ends_the_job_with_its_file(
    broker: LocalBroker, job: CountJob, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(token())
    job.produce("a")
    with job.place.start(*job.arguments(script=(*file_login(broker, path), "--unbounded"))) as running:
        running.wait_until(lambda: job.published() == counted(["a"]))
        ended = running.end()
    assert ended.code == exit_codes.OUTSIDE_SYSTEM, ended.err
    assert f"{path} has ended" in ended.err
    path.write_text(token(600))
    job.produce("a")
    resumed = job.arguments("--resume", script=(*file_login(broker, path), "--unbounded"))
    with job.place.start(*resumed) as running:
        running.wait_until(lambda: job.published() == counted(["a", "a"]))


@pytest.mark.parametrize("where", ["file", "endpoint"])
def test_transactions_are_asked_for_with_the_same_login(
    broker: LocalBroker, endpoint: TokenEndpoint, tmp_path: Path, where: str
) -> None:
    """By Kafka's own tool, which reads no file and asks no address that it was not told to."""
    path = tmp_path / "token"
    path.write_text(token(600))
    login = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.login.callback.handler.class": f"{PACKAGE}.OAuthBearerLoginCallbackHandler",
        "sasl.oauthbearer.token.endpoint.url": path.as_uri() if where == "file" else endpoint.url,
        "sasl.jaas.config": f'{OAUTH} clientId="job" clientSecret="{PASSWORD}" scope="kafka";',
    }
    cluster = Cluster(broker.listeners["TOKEN"], with_tokens(translate(login)), login)
    # It has the token: this broker takes unsigned ones, and Java's client none of them.
    with pytest.raises(BrokerError, match="expected three sections"):
        Transactions(cluster, print).all()
    assert Admin(cluster).broker_ids() == [1], "the other tools log in by the same properties"


class AssertionEndpoint(TokenEndpoint):
    """Gives tokens for assertions that a known key has signed."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self.claims: list[dict[str, Any]] = []
        self._key = key
        super().__init__()

    def answer(self, headers: Message, form: dict[str, list[str]]) -> dict[str, Any] | None:
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        signed, _, signature = form["assertion"][0].rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        self._key.verify(raw, signed.encode(), PKCS1v15(), SHA256())
        self.claims.append(decoded(signed.partition(".")[2]))
        return {"access_token": token(600), "token_type": "Bearer", "expires_in": 600}


def test_a_job_logs_in_with_an_assertion_that_it_signs(broker: LocalBroker, job: CountJob, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path / "key.pem"
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    endpoint = AssertionEndpoint(key.public_key())
    try:
        script = through(
            broker,
            "TOKEN",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="OAUTHBEARER",
            sasl_login_callback_handler_class=f"{PACKAGE}.OAuthBearerLoginCallbackHandler",
            sasl_oauthbearer_jwt_retriever_class=f"{PACKAGE}.JwtBearerJwtRetriever",
            sasl_oauthbearer_token_endpoint_url=endpoint.url,
            sasl_oauthbearer_scope="kafka",
            sasl_oauthbearer_assertion_private_key_file=file,
            sasl_oauthbearer_assertion_algorithm="RS256",
            sasl_oauthbearer_assertion_claim_iss="the-job",
            sasl_oauthbearer_assertion_claim_sub="job",
            sasl_oauthbearer_assertion_claim_aud="the-endpoint",
        )
        assert_counts(job, script)
        assert {(claims["iss"], claims["sub"], claims["aud"]) for claims in endpoint.claims} == {
            ("the-job", "job", "the-endpoint")
        }
    finally:
        endpoint.close()

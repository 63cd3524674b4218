"""Every way to log in to Kafka, as a job that reads and writes exactly-once through a real listener."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.integration.job_process import CountJob, Ended, Workplace, counted, wait_until
from tests.support.certificates import Authority
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

MODULES = "org.apache.kafka.common.security"
PLAIN = f"{MODULES}.plain.PlainLoginModule required"
SCRAM = f"{MODULES}.scram.ScramLoginModule required"
OAUTH = f"{MODULES}.oauthbearer.OAuthBearerLoginModule required"
PASSWORD = "correct-horse"
NEW_PASSWORD = "battery-staple"
TOKEN_SECONDS = 8


class TokenEndpoint:
    """Gives tokens of a short life to whom knows the secret; unsigned, as Kafka's own handler for tests takes them."""

    def __init__(self) -> None:
        self.given: list[float] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                body = outer.answer(self.headers, form)
                content = json.dumps(body or {"error": "invalid_client"}).encode()
                self.send_response(200 if body else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, headers: Message, form: dict[str, list[str]]) -> dict[str, Any] | None:
        """The token for a request, None for whom it is not for."""
        basic = base64.b64encode(f"job:{PASSWORD}".encode()).decode()
        allowed = headers.get("Authorization") == f"Basic {basic}" or form.get("client_secret") == [PASSWORD]
        return self.token() if allowed else None

    def token(self) -> dict[str, Any]:
        now = time.time()
        self.given.append(now)
        claims = {"sub": "job", "iat": int(now), "exp": int(now) + TOKEN_SECONDS, "scope": "kafka"}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "none"}, claims)]
        token = ".".join(part.rstrip("=") for part in parts) + "."
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[TokenEndpoint]:
    started = TokenEndpoint()
    yield started
    started.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority(directory)
    for name in ("broker", "client"):
        authority.issue(name)
    authority.issue("expired", valid=timedelta(days=-1))
    Authority(directory, "stranger").issue("unknown")
    return directory


@pytest.fixture(scope="module")
def broker(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    protocols = {
        "PLAINTEXT": "PLAINTEXT",
        "CONTROLLER": "PLAINTEXT",
        "LOGIN": "SASL_SSL",
        "TOKEN": "SASL_PLAINTEXT",
        "MUTUAL": "SSL",
    }
    tls = {
        f"listener.name.{name}.ssl.{key}": str(value)
        for name in ("login", "mutual")
        for key, value in {
            "keystore.type": "PEM",
            "keystore.location": certificates / "broker.pem",
            "truststore.type": "PEM",
            "truststore.location": certificates / "ca.pem",
        }.items()
    }
    started = LocalBroker.start(
        tmp_path_factory.mktemp("secured"),
        properties={
            "listeners": ",".join(f"{name}://127.0.0.1:0" for name in protocols if name != "CONTROLLER"),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            **tls,
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.login.plain.sasl.jaas.config": f'{PLAIN} user_job="{PASSWORD}";',
            "listener.name.login.scram-sha-256.sasl.jaas.config": f"{SCRAM};",
            "listener.name.login.scram-sha-512.sasl.jaas.config": f"{SCRAM};",
            # A login is asked for again before the connection is five seconds old.
            "listener.name.login.scram-sha-512.connections.max.reauth.ms": "5000",
            "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.token.oauthbearer.sasl.jaas.config": f'{OAUTH} unsecuredLoginStringClaim_sub="broker";',
            # The token's life bounds the connection's.
            "listener.name.token.oauthbearer.connections.max.reauth.ms": "60000",
        },
    )
    try:
        for mechanism in ("SCRAM_SHA_256", "SCRAM_SHA_512"):
            set_password(started, ScramMechanism[mechanism], PASSWORD)
        yield started
    finally:
        started.stop(delete=True)


def set_password(broker: LocalBroker, mechanism: ScramMechanism, password: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.listeners["PLAINTEXT"]})
    change = UserScramCredentialUpsertion("job", ScramCredentialInfo(mechanism, 4096), password.encode())
    for future in admin.alter_user_scram_credentials([change]).values():
        future.result()


@pytest.fixture
def job(broker: LocalBroker, tmp_path: Path) -> CountJob:
    unique, servers = time.monotonic_ns(), broker.listeners["PLAINTEXT"]
    for name in ("input", "output"):
        Admin(servers).create_topic(f"{name}-{unique}", 1)
    return CountJob(Workplace(tmp_path), servers, f"input-{unique}", f"output-{unique}")


def through(broker: LocalBroker, listener: str, **properties: object) -> tuple[str, ...]:
    """Arguments of the script: it uses another listener than the test."""
    given = {key.replace("_", "."): value for key, value in properties.items()}
    settings = [text for key, value in given.items() for text in ("--property", f"{key}={value}")]
    return ("--bootstrap", broker.listeners[listener], *settings)


def password_login(broker: LocalBroker, certificates: Path, mechanism: str, password: str) -> tuple[str, ...]:
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    return through(
        broker,
        "LOGIN",
        security_protocol="SASL_SSL",
        ssl_truststore_type="PEM",
        ssl_truststore_location=certificates / "ca.pem",
        sasl_mechanism=mechanism,
        sasl_jaas_config=f'{module} username="job" password="{password}";',
    )


def token_login(broker: LocalBroker, endpoint: TokenEndpoint, secret: str) -> tuple[str, ...]:
    return through(
        broker,
        "TOKEN",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_login_callback_handler_class=f"{MODULES}.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
        sasl_oauthbearer_token_endpoint_url=endpoint.url,
        sasl_jaas_config=f'{OAUTH} clientId="job" clientSecret="{secret}" scope="kafka";',
    )


def assert_counts(job: CountJob, script: tuple[str, ...]) -> None:
    job.produce("a", "b", "a")
    ended = job.run(script=script)
    assert (ended.code, ended.err) == (exit_codes.OK, "")
    assert job.published() == counted(["a", "b", "a"])


def assert_refused(ended: Ended, *said: str) -> None:
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, *said)
    assert "wrong-horse" not in ended.err


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_job_logs_in_with_a_password(broker: LocalBroker, certificates: Path, job: CountJob, mechanism: str) -> None:
    assert_counts(job, password_login(broker, certificates, mechanism, PASSWORD))


def test_a_job_logs_in_with_a_certificate(broker: LocalBroker, certificates: Path, job: CountJob) -> None:
    files = {
        "ssl_ca_location": certificates / "ca.pem",
        "ssl_certificate_location": certificates / "client.crt",
        "ssl_key_location": certificates / "client.key",
    }
    assert_counts(job, through(broker, "MUTUAL", security_protocol="SSL", **files))


@pytest.mark.parametrize("name", [None, "unknown", "expired"])
def test_without_a_certificate_that_the_broker_takes_the_job_is_refused(
    broker: LocalBroker, certificates: Path, job: CountJob, name: str | None
) -> None:
    files = {"ssl_ca_location": certificates / "ca.pem"}
    if name is not None:
        files |= {"ssl_keystore_type": Path("PEM"), "ssl_keystore_location": certificates / f"{name}.pem"}
    ended = job.run(script=through(broker, "MUTUAL", security_protocol="SSL", **files))
    assert_refused(ended, "TLS with the Kafka broker failed", "certificate")


def test_a_wrong_scram_password_is_refused_and_not_shown(
    broker: LocalBroker, certificates: Path, job: CountJob
) -> None:
    ended = job.run(script=password_login(broker, certificates, "SCRAM-SHA-256", "wrong-horse"))
    assert_refused(ended, "refused the login", "sasl.mechanism")


def test_a_token_endpoint_that_refuses_is_told_and_the_secret_is_not(
    broker: LocalBroker, endpoint: TokenEndpoint, job: CountJob
) -> None:
    assert_refused(job.run(script=token_login(broker, endpoint, "wrong-horse")), "refused the login", "token")


def test_a_job_outlives_its_tokens(broker: LocalBroker, endpoint: TokenEndpoint, job: CountJob) -> None:
    script = (*token_login(broker, endpoint, PASSWORD), "--unbounded")
    job.produce("a", "b")
    with job.place.start(*job.arguments(script=script)) as running:
        running.wait_until(lambda: job.published() == counted(["a", "b"]))
        first = max(endpoint.given)
        running.wait_until(lambda: max(endpoint.given) > first + TOKEN_SECONDS)
        job.produce("a", "c")
        running.wait_until(lambda: job.published() == counted(["a", "b", "a", "c"]))


def test_a_password_that_is_changed_ends_the_job_with_the_reason_and_it_resumes_with_the_new_one(
    broker: LocalBroker, certificates: Path, job: CountJob
) -> None:
    def script(password: str) -> tuple[str, ...]:
        return (*password_login(broker, certificates, "SCRAM-SHA-512", password), "--unbounded")

    job.produce("a", "b")
    try:
        with job.place.start(*job.arguments(script=script(PASSWORD))) as running:
            running.wait_until(lambda: job.published() == counted(["a", "b"]))
            set_password(broker, ScramMechanism.SCRAM_SHA_512, NEW_PASSWORD)
            job.produce("a")
            began = time.monotonic()
            wait_until(lambda: running.process.poll() is not None, lambda: running.said)
            assert time.monotonic() - began < 80
            ended = running.end()
        assert_refused(ended, "refused the login")
        assert PASSWORD not in ended.err
        with job.place.start(*job.arguments("--resume", script=script(NEW_PASSWORD))) as running:
            running.wait_until(lambda: job.published() == counted(["a", "b", "a"]))
    finally:
        set_password(broker, ScramMechanism.SCRAM_SHA_512, PASSWORD)

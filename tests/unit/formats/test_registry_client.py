"""How a registry is reached, and what becomes of answers that are none; the API itself is tested on a real server."""

import base64
import json
import logging
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from wiesel.core.errors import AuthorizationError, ConfigurationError, ConnectionFailedError
from wiesel.formats.avro_schema import AvroSchema
from wiesel.formats.registry.avro import ConfluentRegistryAvroDeserializationSchema
from wiesel.formats.registry.client import RegisteredSchema, SchemaRegistryClient, UnknownSchemaError
from wiesel.formats.registry.connection import connection_of

SCHEMA = '{"type": "record", "name": "A", "fields": [{"name": "n", "type": "int"}]}'
#: Method, path and headers of a request.
Seen = tuple[str, str, dict[str, str]]
#: Status, headers and body of an answer.
Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Gives one prepared answer after the other, the last one for ever, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.seen: list[Seen] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(
                    (self.command, self.path, {name.lower(): text for name, text in self.headers.items()})
                )
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                status, headers, body = outer.answers[min(len(outer.seen), len(outer.answers)) - 1]
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, status: int, body: object, **headers: str) -> None:
        self.answers.append((status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def client(url: str, waits: list[float] | None = None, clock: Callable[[], float] = lambda: 0.0, **properties: str):
    given = {key.replace("_", "."): value for key, value in properties.items()}
    return SchemaRegistryClient(connection_of(url, given), clock, (waits if waits is not None else []).append)


# ------------------------------------------------------------------------------------------------------- answers


def test_a_server_that_is_not_ready_is_asked_again_and_then_given_up(server: Server) -> None:
    waits: list[float] = []
    server.answer(503, {"message": "starting"})
    server.answer(200, {"schema": SCHEMA})
    assert client(server.url, waits).schema_by_id(1) == RegisteredSchema(SCHEMA)
    assert len(waits) == 1
    server.answers = [(503, {}, b"starting")]
    with pytest.raises(ConnectionFailedError, match=f"{server.url} does not answer: 503: starting"):
        client(server.url, waits).schema_by_id(1)
    assert len(waits) == 3


def test_a_server_that_is_not_there_is_named_with_its_url() -> None:
    with pytest.raises(ConnectionFailedError, match=r"http://127.0.0.1:1 does not answer: ConnectionRefusedError"):
        client("http://127.0.0.1:1").schema_by_id(1)


def test_of_several_servers_the_next_one_is_asked(server: Server) -> None:
    waits: list[float] = []
    server.answer(200, {"schema": SCHEMA})
    assert client(f"http://127.0.0.1:1,{server.url}/", waits).schema_by_id(7) == RegisteredSchema(SCHEMA)
    assert (server.seen[0][1], waits) == ("/schemas/ids/7", [])


@pytest.mark.parametrize(("status", "said"), [(401, "credentials"), (403, "rights")])
def test_a_refusal_is_no_reason_to_ask_again_and_shows_no_secret(server: Server, status: int, said: str) -> None:
    server.answer(status, {"message": "me:secret is wrong"})
    with pytest.raises(AuthorizationError, match=said) as refusal:
        client(server.url, basic_auth_user_info="me:secret").schema_by_id(1)
    assert "secret" not in str(refusal.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"<html>", b'"text"', b"{}", b"[" * 100_000])
def test_what_is_no_registry_is_called_so(server: Server, body: bytes) -> None:
    server.answer(200, body)
    with pytest.raises(ConfigurationError, match="none of a schema registry's API"):
        client(server.url).schema_by_id(1)


def test_credentials_do_not_follow_a_redirect(server: Server) -> None:
    server.answer(302, b"", Location=f"{server.url}/elsewhere")
    with pytest.raises(ConfigurationError, match="302"):
        client(server.url, basic_auth_user_info="me:secret").schema_by_id(1)
    assert len(server.seen) == 1


def test_a_subject_is_quoted(server: Server) -> None:
    server.answer(200, {"id": 3})
    client(server.url).register("a/../b c", RegisteredSchema("{}", "JSON"), normalize=True)
    assert server.seen[0][:2] == ("POST", "/subjects/a%2F..%2Fb%20c/versions?normalize=true")
    assert json.loads(server.bodies[0]) == {"schema": "{}", "schemaType": "JSON"}


def test_an_unknown_id_is_not_asked_for_with_each_record(server: Server) -> None:
    server.answer(404, {"error_code": 40403, "message": "Schema 9 not found."})
    schema = ConfluentRegistryAvroDeserializationSchema.for_generic(AvroSchema.parse_string(SCHEMA), server.url)
    for _ in range(3):
        with pytest.raises(UnknownSchemaError, match="no schema 9"):
            schema.deserialize(b"\x00\x00\x00\x00\x09x")
    assert len(server.seen) == 1


# --------------------------------------------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    ("url", "properties", "header"),
    [
        ("http://me:p%40ss@127.0.0.1", {}, "Basic " + base64.b64encode(b"me:p@ss").decode()),
        (
            "http://127.0.0.1",
            {"basic.auth.credentials.source": "USER_INFO", "schema.registry.basic.auth.user.info": "me:p:q"},
            "Basic " + base64.b64encode(b"me:p:q").decode(),
        ),
        (
            "http://127.0.0.1",
            {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "t0ken"},
            "Bearer t0ken",
        ),
    ],
    ids=["in the URL", "user info", "token"],
)
def test_credentials_become_a_header_and_show_nowhere(url: str, properties: dict[str, str], header: str) -> None:
    connection = connection_of(url, properties)
    assert connection.headers["Authorization"] == header
    assert header.split()[1] not in repr(connection)
    assert connection.urls == ("http://127.0.0.1",)


def test_a_token_is_asked_for_with_client_credentials_and_again_before_it_ends(server: Server) -> None:
    now = [0.0]
    registry = client(
        server.url,
        clock=lambda: now[0],
        bearer_auth_credentials_source="OAUTHBEARER",
        bearer_auth_issuer_endpoint_url=f"{server.url}/token",
        bearer_auth_client_id="me",
        bearer_auth_client_secret="secret",
        bearer_auth_scope="read",
        bearer_auth_logical_cluster="lsrc-1",
    )
    server.answer(200, {"access_token": "one", "expires_in": 100})
    server.answer(200, {"schema": SCHEMA})
    server.answer(200, {"schema": SCHEMA})
    server.answer(200, {"access_token": "two", "expires_in": 100})
    server.answer(200, {"schema": SCHEMA})
    for time in (0.0, 50.0, 80.0):
        now[0] = time
        registry.schema_by_id(1)
    assert [path for _, path, _ in server.seen] == [
        "/token",
        "/schemas/ids/1",
        "/schemas/ids/1",
        "/token",
        "/schemas/ids/1",
    ]
    assert server.bodies[0] == b"grant_type=client_credentials&client_id=me&client_secret=secret&scope=read"
    assert [headers["authorization"] for _, path, headers in server.seen if path != "/token"] == [
        "Bearer one",
        "Bearer one",
        "Bearer two",
    ]
    assert server.seen[1][2]["target-sr-cluster"] == "lsrc-1"


def test_a_token_endpoint_that_refuses_is_named_and_nothing_is_shown(server: Server) -> None:
    server.answer(400, {"message": "bad secret hidden-away"})
    with pytest.raises(AuthorizationError, match="/token gave no access_token for client 'me'") as refusal:
        client(
            server.url,
            bearer_auth_credentials_source="OAUTHBEARER",
            bearer_auth_issuer_endpoint_url=f"{server.url}/token",
            bearer_auth_client_id="me",
            bearer_auth_client_secret="hidden-away",
        ).schema_by_id(1)
    assert "hidden-away" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "properties", "said"),
    [
        ("", {}, "URL is empty"),
        ("registry:8081", {}, "begins with http"),
        ("http://r", {"basic.auth.credentials.source": "SASL_INHERIT"}, "set it to USER_INFO"),
        ("http://r", {"basic.auth.credentials.source": "USER_INFO"}, "lack basic.auth.user.info"),
        ("http://r", {"basic.auth.user.info": "nobody"}, "has no colon"),
        ("http://r", {"bearer.auth.credentials.source": "CUSTOM"}, "STATIC_TOKEN or OAUTHBEARER"),
        ("https://r", {"ssl.truststore.location": "/a.jks"}, "ssl.ca.location"),
        (
            "https://r",
            {"schema.registry.ssl.keystore.location": "/a.p12", "ssl.keystore.type": "PKCS12"},
            "ssl.key.loc",
        ),
        ("https://r", {"ssl.ca.location": "/nowhere.pem"}, "no file /nowhere.pem"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_the_right_name(
    url: str, properties: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        connection_of(url, properties)


def test_tls_properties_for_a_url_without_tls_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    with pytest.raises(ConfigurationError, match="use one with https"):
        connection_of("http://r", {"ssl.ca.location": str(tmp_path / "ca.pem")})


def test_an_unknown_property_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        connection_of("http://r", {"basic.auth.user.inof": "me:secret"})
    assert "basic.auth.user.inof has no effect" in caplog.text
    assert "secret" not in caplog.text


def test_a_schema_can_be_shipped_after_it_was_used(server: Server) -> None:
    server.answer(200, {"schema": SCHEMA})
    schema = ConfluentRegistryAvroDeserializationSchema.for_generic(AvroSchema.parse_string(SCHEMA), server.url)
    record = b"\x00\x00\x00\x00\x01\x0a"
    assert schema.deserialize(record) == {"n": 5}
    assert pickle.loads(pickle.dumps(schema)).deserialize(record) == {"n": 5}

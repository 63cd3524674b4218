"""A registry's API as far as serializers need it (Confluent: ``SchemaRegistryClient``), by Python's own HTTP."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode

from wiesel.core.errors import AuthorizationError, ConfigurationError, ConnectionFailedError, RecordError, WieselError
from wiesel.formats.registry.connection import Oauth, RegistryConnection, tls_context

_CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
#: Waits before the second and third attempt of a request that nobody answered.
_WAITS: Final = (0.2, 0.5)
#: A larger answer is none of a registry's.
_MOST_BYTES: Final = 16 << 20
_SHOWN: Final = 500
#: A token is asked for anew when it has less than this to live.
_TOKEN_MARGIN_SECONDS: Final = 30.0


class UnknownSchemaError(RecordError):
    """A record names a schema that the registry has not."""


class MissingSubjectError(ConfigurationError):
    """Nothing is registered under a subject, and this job may not register anything."""


class IncompatibleSchemaError(ConfigurationError):
    """The registry refused a schema: it breaks the subject's compatibility rule, or is none."""


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """A schema that another one names (an import)."""

    name: str
    subject: str
    version: int

    def to_json(self) -> dict[str, Any]:
        """Return it as the API has it."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as a registry gives it.

    Args:
        schema: its text.
        kind: ``AVRO``, ``JSON`` or ``PROTOBUF``.
        references: what it imports.
    """

    schema: str
    kind: str = "AVRO"
    references: tuple[SchemaReference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the API has it; AVRO is what a schema is that does not say it."""
        kind = {} if self.kind == "AVRO" else {"schemaType": self.kind}
        references = {"references": [one.to_json() for one in self.references]} if self.references else {}
        return {"schema": self.schema, **kind, **references}


class SchemaRegistryClient:
    """Asks a registry. Nothing is cached here.

    Args:
        connection: where it is.
        clock: seconds, for the life of tokens.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        connection: RegistryConnection,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._sleep = sleep
        self._token = ""
        self._token_ends = 0.0

    def schema_by_id(self, schema_id: int) -> RegisteredSchema:
        """Return the schema of an id.

        Raises:
            UnknownSchemaError: the registry has none.
            ConnectionFailedError, AuthorizationError: the registry cannot be asked.
        """
        try:
            return _schema(self._call("GET", f"/schemas/ids/{schema_id}"))
        except _RefusedError as refusal:
            if refusal.status == 404:
                raise UnknownSchemaError(
                    f"the schema registry at {self._where} has no schema {schema_id}: another registry's, or none of "
                    "Confluent's wire format"
                ) from None
            raise refusal.unexpected() from None

    def schema_of_version(self, subject: str, version: int) -> RegisteredSchema:
        """Return a version of a subject.

        Raises:
            UnknownSchemaError: there is none.
        """
        try:
            return _schema(self._call("GET", f"/subjects/{_quoted(subject)}/versions/{version}"))
        except _RefusedError as refusal:
            if refusal.status == 404:
                raise UnknownSchemaError(f"{self._where} has no version {version} of subject {subject}") from None
            raise refusal.unexpected() from None

    def latest(self, subject: str) -> tuple[int, RegisteredSchema]:
        """Return id and schema of a subject's newest version.

        Raises:
            MissingSubjectError: there is no such subject.
        """
        try:
            answer = self._call("GET", f"/subjects/{_quoted(subject)}/versions/latest")
        except _RefusedError as refusal:
            if refusal.status == 404:
                raise MissingSubjectError(
                    f"The schema registry at {self._where} has no subject {subject!r}, whose latest version is to be "
                    "used: register a schema, or leave use.latest.version out."
                ) from None
            raise refusal.unexpected() from None
        return _number(answer, "id"), _schema(answer)

    def register(self, subject: str, schema: RegisteredSchema, *, normalize: bool = False) -> int:
        """Register a schema, if it is not there yet, and return its id.

        Raises:
            IncompatibleSchemaError: the registry refuses it.
        """
        path = f"/subjects/{_quoted(subject)}/versions" + ("?normalize=true" if normalize else "")
        try:
            return _number(self._call("POST", path, schema.to_json()), "id")
        except _RefusedError as refusal:
            if refusal.status == 409:
                raise IncompatibleSchemaError(
                    f"The schema registry refuses this {schema.kind} schema for subject {subject!r}, as it is not "
                    f"compatible with earlier versions ({self._rule(subject)}): {refusal.text}. Change it compatibly "
                    "(a new field needs a default), or use another subject."
                ) from None
            if refusal.status == 422:
                raise IncompatibleSchemaError(
                    f"The schema registry takes this for no valid {schema.kind} schema for subject {subject!r}: "
                    f"{refusal.text}."
                ) from None
            raise refusal.unexpected() from None

    def lookup(self, subject: str, schema: RegisteredSchema, *, normalize: bool = False) -> tuple[int, int]:
        """Return id and version of a schema that is registered under a subject.

        Raises:
            MissingSubjectError: it is not.
        """
        path = f"/subjects/{_quoted(subject)}" + ("?normalize=true" if normalize else "")
        try:
            answer = self._call("POST", path, schema.to_json())
        except _RefusedError as refusal:
            if refusal.status == 404:
                raise MissingSubjectError(
                    f"This {schema.kind} schema is not registered under subject {subject!r} ({refusal.text}), and "
                    "auto.register.schemas is false: register it first, or set use.latest.version=true."
                ) from None
            raise refusal.unexpected() from None
        return _number(answer, "id"), _number(answer, "version")

    def _rule(self, subject: str) -> str:
        """Return the name of the rule that a subject's versions follow, for a message."""
        for path in (f"/config/{_quoted(subject)}", "/config"):
            try:
                return str(self._call("GET", path)["compatibilityLevel"])
            except (WieselError, KeyError):
                continue
        return "its compatibility level cannot be read"

    # ---------------------------------------------------------------------------------------------- requests

    @property
    def _where(self) -> str:
        return ", ".join(self._connection.urls)

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if self._connection.tls or self._where.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=tls_context(self._connection)))
        return urllib.request.build_opener(*handlers)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the answer; each URL is asked up to three times before the registry counts as not there."""
        failures: list[str] = []
        for wait in (*_WAITS, None):
            for url in self._connection.urls:
                try:
                    return self._ask(method, f"{url}{path}", body)
                except _UnansweredError as failure:
                    failures.append(str(failure))
            if wait is not None:
                self._sleep(wait)
        raise ConnectionFailedError(
            f"The schema registry at {self._where} does not answer: {failures[-1]}. Look whether it runs and whether "
            "the URL is right (Apicurio's API for Confluent's clients is under /apis/ccompat/v7)."
        )

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Accept": _CONTENT_TYPE, "Content-Type": _CONTENT_TYPE, **self._connection.headers}
        if self._connection.oauth is not None:
            headers["Authorization"] = f"Bearer {self._bearer(self._connection.oauth)}"
        data = None if body is None else json.dumps(body).encode()
        return self._answer(urllib.request.Request(url, data, headers, method=method))  # noqa: S310 (http and https only)

    def _answer(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=self._connection.timeout_seconds) as response:
                content = response.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _refusal(refusal, request.host) from None
        except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
            reason = getattr(error, "reason", error)
            if _is_refused_tls(reason):
                raise AuthorizationError(
                    f"TLS with the schema registry {request.host} failed: {reason}. ssl.ca.location names the "
                    "authority that signed its certificate, ssl.certificate.location and ssl.key.location are ours."
                ) from None
            raise _UnansweredError(f"{type(reason).__name__}: {reason}") from None
        try:
            if len(content) > _MOST_BYTES:
                raise ValueError("it is too large")
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(
                f"{request.host} answered, but with no JSON ({error}): its URL is none of a schema registry's API."
            ) from None

    def _bearer(self, oauth: Oauth) -> str:
        if self._clock() >= self._token_ends:
            form = {"grant_type": "client_credentials", "client_id": oauth.client_id}
            form |= {"client_secret": oauth.client_secret} | ({"scope": oauth.scope} if oauth.scope else {})
            request = urllib.request.Request(oauth.url, urlencode(form).encode(), method="POST")  # noqa: S310
            try:
                answer = self._answer(request)
                self._token = str(answer["access_token"])
            except (KeyError, TypeError, _RefusedError):
                # Nothing of the answer is shown: it may hold a token.
                raise AuthorizationError(
                    f"The token endpoint {oauth.url} gave no access_token for client {oauth.client_id!r}: look at "
                    "bearer.auth.client.id, bearer.auth.client.secret and bearer.auth.scope."
                ) from None
            self._token_ends = self._clock() + float(answer.get("expires_in", 300)) - _TOKEN_MARGIN_SECONDS
        return self._token


class _RefusedError(Exception):
    """The registry answered with an error that is the caller's to name."""

    def __init__(self, status: int, text: str, host: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text
        self.host = host

    def unexpected(self) -> WieselError:
        return ConfigurationError(f"The schema registry {self.host} refused the request with {self}.")


class _UnansweredError(WieselError):
    """No answer, or one that says to come back later."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Credentials go where the user sends them and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _refusal(answer: urllib.error.HTTPError, host: str) -> Exception:
    try:
        text = answer.read(_MOST_BYTES).decode(errors="replace")
    except (OSError, HTTPException):
        text = ""
    try:
        text = str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        pass
    text = (text or answer.reason)[:_SHOWN].rstrip(".")
    if answer.code in (401, 403):
        rights = "credentials (basic.auth.user.info, bearer.auth.*)" if answer.code == 401 else "rights of this user"
        return AuthorizationError(
            f"The schema registry {host} refused the request ({answer.code}): look at the {rights}."
        )
    if answer.code in (408, 429) or answer.code >= 500:
        return _UnansweredError(f"{answer.code}: {text}")
    return _RefusedError(answer.code, text, host)


def _is_refused_tls(reason: object) -> bool:
    # A server that goes away in the middle of a handshake comes back; one that says no stays with it.
    return isinstance(reason, ssl.SSLError) and not isinstance(reason, (ssl.SSLEOFError, ssl.SSLZeroReturnError))


def _schema(answer: Any) -> RegisteredSchema:
    try:
        references = answer.get("references") or ()
        return RegisteredSchema(
            str(answer["schema"]),
            str(answer.get("schemaType") or "AVRO"),
            tuple(SchemaReference(one["name"], one["subject"], int(one["version"])) for one in references),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConfigurationError("The answer holds no schema: the URL is none of a schema registry's API.") from None


def _number(answer: Any, key: str) -> int:
    try:
        return int(answer[key])
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(f"The answer holds no {key}: the URL is none of a schema registry's API.") from None


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def resolve(
    client: SchemaRegistryClient, schema: RegisteredSchema, limit: int = 100
) -> Sequence[tuple[SchemaReference, RegisteredSchema]]:
    """Return all that a schema imports, what is imported before what imports it.

    Raises:
        UnknownSchemaError: an import is not there, or there are too many.
    """
    found: dict[tuple[str, int], tuple[SchemaReference, RegisteredSchema]] = {}
    visited: set[tuple[str, int]] = set()

    def visit(one: RegisteredSchema) -> None:
        for reference in one.references:
            key = (reference.subject, reference.version)
            if key in visited:
                continue
            visited.add(key)
            if len(visited) > limit:
                raise UnknownSchemaError(f"the schema imports more than {limit} others")
            imported = client.schema_of_version(*key)
            visit(imported)
            found[key] = (reference, imported)

    visit(schema)
    return list(found.values())

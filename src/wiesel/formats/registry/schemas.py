"""What serializers of all formats have in common: ids that are asked for once, and schemas that are registered."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from wiesel.core.errors import ConfigurationError, RecordError
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.formats.registry.client import RegisteredSchema, SchemaRegistryClient, UnknownSchemaError
from wiesel.formats.registry.connection import connection_of
from wiesel.formats.registry.subjects import SubjectNameStrategy, subject_of
from wiesel.formats.registry.wire import schema_id_of

#: How long an id that the registry has not is not asked for again: a topic of another format names one in each record.
_UNKNOWN_SECONDS: Final = 10.0
#: Flink's and Confluent's default.
IDENTITY_MAP_CAPACITY: Final = 1000

#: From a whole record, header included, to its value.
Read = Callable[[bytes], Any]


class RegistryDeserializationSchema(DeserializationSchema, ABC):
    """Reads records by the schema that their header names; null values are skipped, as in Flink.

    The first record of each schema asks the registry, and waits for it up to the time that a request may take.

    Args:
        url: of the registry; several behind commas.
        properties: see ``connection_of``.
        identity_map_capacity: how many schemas are remembered.
    """

    #: ``schemaType`` of the registry.
    KIND: ClassVar[str]

    def __init__(self, url: str, properties: Mapping[str, Any] | None, identity_map_capacity: int) -> None:
        super().__init__()
        self._connection = connection_of(url, properties or {})
        self._capacity = identity_map_capacity
        self._client: SchemaRegistryClient | None = None
        self._reads: dict[int, Read] = {}
        self._unknown: dict[int, float] = {}

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class."""
        if data is None:
            return None
        schema_id = schema_id_of(data)
        read = self._reads.get(schema_id)
        if read is None:
            read = self._find(schema_id)
        return read(data)

    def _find(self, schema_id: int) -> Read:
        now = time.monotonic()
        if now < self._unknown.get(schema_id, 0.0):
            raise UnknownSchemaError(f"the schema registry has no schema {schema_id}")
        client = self._client
        if client is None:
            client = self._client = SchemaRegistryClient(self._connection)
        try:
            written = client.schema_by_id(schema_id)
        except UnknownSchemaError:
            _make_room(self._unknown, self._capacity)
            self._unknown[schema_id] = now + _UNKNOWN_SECONDS
            raise
        if written.kind != self.KIND:
            raise RecordError(f"schema {schema_id} is {written.kind} and not {self.KIND}: another serializer wrote it")
        _make_room(self._reads, self._capacity)
        read = self._reads[schema_id] = self._reader(client, schema_id, written)
        return read

    @abstractmethod
    def _reader(self, client: SchemaRegistryClient, schema_id: int, written: RegisteredSchema) -> Read:
        """Return the function that reads records of one schema."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None, "_reads": {}, "_unknown": {}}


class RegistrySerializationSchema(SerializationSchema, ABC):
    """Writes records in front of which their schema's id stands.

    The schema is registered when the schema is opened, so that a job that may not write, or whose schema the registry
    refuses, ends before its first record.

    Args:
        subject: what the schema is registered under.
        url: of the registry; several behind commas.
        properties: see ``connection_of``; and ``auto.register.schemas`` (true), ``use.latest.version`` (false),
            ``normalize.schemas`` (false).
    """

    def __init__(self, subject: str | SubjectNameStrategy, url: str, properties: Mapping[str, Any] | None) -> None:
        super().__init__()
        given = {str(key).removeprefix("schema.registry."): str(value) for key, value in (properties or {}).items()}
        self._connection = connection_of(url, given)
        self._subject = subject_of(subject, self._record_name())
        self._registers = flag(given, "auto.register.schemas", default=True)
        self._uses_latest = flag(given, "use.latest.version", default=False)
        self._normalizes = flag(given, "normalize.schemas", default=False)
        self._write: Callable[[Any], bytes] | None = None

    def open(self) -> None:
        """See the base class; registers the schema, or finds it.

        Raises:
            IncompatibleSchemaError: the registry refuses the schema.
            MissingSubjectError: it is not registered, and may not be.
        """
        if self._write is None:
            self._write = self._writer(SchemaRegistryClient(self._connection))

    def serialize(self, value: Any) -> bytes | None:
        """See the base class; None stays None, Kafka's null value."""
        if value is None:
            return None
        if self._write is None:
            self.open()
        assert self._write is not None
        return self._write(value)

    def _settle(self, client: SchemaRegistryClient, schema: RegisteredSchema) -> tuple[int, RegisteredSchema]:
        """Return id and schema to write with."""
        if self._uses_latest:
            return client.latest(self._subject)
        if self._registers:
            return client.register(self._subject, schema, normalize=self._normalizes), schema
        return client.lookup(self._subject, schema, normalize=self._normalizes)[0], schema

    @abstractmethod
    def _record_name(self) -> str | None:
        """Return the name of the records, for the strategies that want it."""

    @abstractmethod
    def _writer(self, client: SchemaRegistryClient) -> Callable[[Any], bytes]:
        """Settle the schema and return the function from value to record."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_write": None}


def flag(properties: Mapping[str, str], key: str, *, default: bool) -> bool:
    """Return a property that is true or false.

    Raises:
        ConfigurationError: it is neither.
    """
    text = properties.get(key, str(default)).strip().lower()
    if text not in ("true", "false"):
        raise ConfigurationError(f"{key} is true or false, got {text!r}.")
    return text == "true"


def _make_room(cache: dict[int, Any], capacity: int) -> None:
    while len(cache) >= capacity:
        del cache[next(iter(cache))]

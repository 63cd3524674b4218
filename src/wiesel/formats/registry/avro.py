"""Avro by a schema registry (Java Flink: ``ConfluentRegistryAvroDeserializationSchema``, ``…SerializationSchema``).

PyFlink has neither: a script that uses them runs here and not on Flink.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, get_args, get_type_hints

from wiesel.core.errors import ConfigurationError, RecordError, TypeMismatchError
from wiesel.core.types import TypeInformation, Types
from wiesel.formats.avro import GenericRecordAvroTypeInfo
from wiesel.formats.avro_schema import AvroSchema, without_logical_types
from wiesel.formats.extras import require
from wiesel.formats.registry.client import RegisteredSchema, SchemaRegistryClient, resolve
from wiesel.formats.registry.schemas import (
    IDENTITY_MAP_CAPACITY,
    Read,
    RegistryDeserializationSchema,
    RegistrySerializationSchema,
)
from wiesel.formats.registry.subjects import SubjectNameStrategy
from wiesel.formats.registry.wire import HEADER_BYTES, header

_SHOWN = 200


def _fastavro() -> Any:
    return require("fastavro", "registry", "Avro by a schema registry")


class ConfluentRegistryAvroDeserializationSchema(RegistryDeserializationSchema):
    """Reads Avro records as the schema that is given here, whatever compatible schema they were written with.

    Made by ``for_generic`` or ``for_specific``.
    """

    KIND = "AVRO"

    def __init__(
        self,
        schema: AvroSchema,
        build: Callable[[Any], Any] | None,
        url: str,
        properties: Mapping[str, Any] | None,
        identity_map_capacity: int,
    ) -> None:
        super().__init__(url, properties, identity_map_capacity)
        self._schema = schema
        self._build = build

    @staticmethod
    def for_generic(
        schema: AvroSchema,
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
        *,
        identity_map_capacity: int = IDENTITY_MAP_CAPACITY,
    ) -> ConfluentRegistryAvroDeserializationSchema:
        """Return the schema whose values are dicts; dates and decimals are what Avro stores (``AvroSchema``).

        Args:
            schema: what records are read as (Avro: the reader's schema).
            schema_registry_url: of the registry; several behind commas.
            registry_configs: properties as for Confluent's Java client.
            identity_map_capacity: how many schemas are remembered.

        Raises:
            ConfigurationError: no such schema, URL or property.
        """
        return ConfluentRegistryAvroDeserializationSchema(
            _checked(schema), None, schema_registry_url, registry_configs, identity_map_capacity
        )

    @staticmethod
    def for_specific(
        record_class: type,
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
        *,
        identity_map_capacity: int = IDENTITY_MAP_CAPACITY,
    ) -> ConfluentRegistryAvroDeserializationSchema:
        """Return the schema whose values are of a class.

        Args:
            record_class: a dataclass with a static or class method ``avro_schema()`` that returns its schema as JSON
                text; its fields are named as the schema's.
            schema_registry_url: see ``for_generic``.
            registry_configs: see ``for_generic``.
            identity_map_capacity: see ``for_generic``.
        """
        return ConfluentRegistryAvroDeserializationSchema(
            schema_of_class(record_class),
            _Build(record_class),
            schema_registry_url,
            registry_configs,
            identity_map_capacity,
        )

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return GenericRecordAvroTypeInfo(self._schema) if self._build is None else Types.PICKLED_BYTE_ARRAY()

    def _reader(self, client: SchemaRegistryClient, schema_id: int, written: RegisteredSchema) -> Read:
        writer, reader = parsed(client, written), self._schema.raw
        # Half as fast again when there is nothing to resolve.
        resolved = None if json.loads(written.schema) == self._schema.definition else reader
        decode, build = _fastavro().schemaless_reader, self._build
        errors = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError, EOFError)
        not_resolved = _fastavro().read.SchemaResolutionError

        def read(data: bytes) -> Any:
            stream = BytesIO(data)
            stream.seek(HEADER_BYTES)
            try:
                value = decode(stream, writer, resolved)
                left = len(data) - stream.tell()
                if left:
                    raise ValueError(f"{left} bytes are left over")
                return value if build is None else build(value)
            except not_resolved as error:
                raise RecordError(
                    f"it was written with schema {schema_id}, which cannot be read as {self._schema!s:.{_SHOWN}}: "
                    f"{error}"
                ) from error
            except errors as error:
                raise RecordError(f"it is no Avro of schema {schema_id}: {error!r}") from error

        return read


class ConfluentRegistryAvroSerializationSchema(RegistrySerializationSchema):
    """Writes Avro records. Made by ``for_generic`` or ``for_specific``."""

    def __init__(
        self,
        subject: str | SubjectNameStrategy,
        schema: AvroSchema,
        record_class: type | None,
        url: str,
        properties: Mapping[str, Any] | None,
    ) -> None:
        self._schema = schema
        self._record_class = record_class
        super().__init__(subject, url, properties)

    @staticmethod
    def for_generic(
        subject: str | SubjectNameStrategy,
        schema: AvroSchema,
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
    ) -> ConfluentRegistryAvroSerializationSchema:
        """Return the schema that takes dicts.

        Args:
            subject: what the schema is registered under: a text, or a strategy.
            schema: what records are written with.
            schema_registry_url: of the registry; several behind commas.
            registry_configs: properties as for Confluent's Java client.
        """
        return ConfluentRegistryAvroSerializationSchema(
            subject, _checked(schema), None, schema_registry_url, registry_configs
        )

    @staticmethod
    def for_specific(
        record_class: type,
        subject: str | SubjectNameStrategy,
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
    ) -> ConfluentRegistryAvroSerializationSchema:
        """Return the schema that takes objects of a dataclass with ``avro_schema()``; see the deserialization."""
        return ConfluentRegistryAvroSerializationSchema(
            subject, schema_of_class(record_class), record_class, schema_registry_url, registry_configs
        )

    def _record_name(self) -> str | None:
        definition = self._schema.definition
        if not isinstance(definition, dict) or "name" not in definition:
            return None
        space = definition.get("namespace")
        name = str(definition["name"])
        return name if "." in name or not space else f"{space}.{name}"

    def _writer(self, client: SchemaRegistryClient) -> Callable[[Any], bytes]:
        schema_id, schema = self._settle(client, RegisteredSchema(str(self._schema)))
        raw = parsed(client, schema)
        front, encode, expected = header(schema_id), _fastavro().schemaless_writer, self._record_class
        errors = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)

        def write(value: Any) -> bytes:
            stream = BytesIO(front)
            stream.seek(HEADER_BYTES)
            try:
                if expected is not None:
                    value = dataclasses.asdict(value)
                encode(stream, raw, value)
            except errors as error:
                raise TypeMismatchError(
                    f"Expected a record of schema {schema_id} ({self._subject}), got {value!r:.{_SHOWN}}: {error!r}"
                ) from error
            return stream.getvalue()

        return write


def parsed(client: SchemaRegistryClient, schema: RegisteredSchema) -> Any:
    """Return a registered schema as fastavro takes it, without logical types; what it imports is asked for.

    Raises:
        RecordError: it is no Avro schema.
    """
    fastavro = _fastavro()
    named: dict[str, Any] = {}
    try:
        for _, imported in resolve(client, schema):
            fastavro.parse_schema(json.loads(imported.schema), named_schemas=named)
        return without_logical_types(fastavro.parse_schema(json.loads(schema.schema), named_schemas=named))
    except (ValueError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
        raise RecordError(f"the registry's schema is no Avro schema: {error!r}: {schema.schema[:_SHOWN]}") from None


def schema_of_class(record_class: type) -> AvroSchema:
    """Return the schema of a dataclass.

    Raises:
        ConfigurationError: it is no dataclass, or has no ``avro_schema()``.
    """
    describe = getattr(record_class, "avro_schema", None)
    if not dataclasses.is_dataclass(record_class) or not callable(describe):
        raise ConfigurationError(
            f"for_specific takes a dataclass with a class method avro_schema() that returns JSON text, "
            f"got {record_class!r}. Dicts are taken by for_generic."
        )
    return AvroSchema.parse_string(describe())


class _Build:
    """Makes objects of dataclasses out of dicts, nested ones and those in lists too."""

    def __init__(self, record_class: type) -> None:
        self._class = record_class
        self._inner: dict[str, _Build] = {}
        for name, hint in get_type_hints(record_class).items():
            inner = next((one for one in (hint, *get_args(hint)) if dataclasses.is_dataclass(one)), None)
            if isinstance(inner, type):
                self._inner[name] = self if inner is record_class else _Build(inner)

    def __call__(self, record: Any) -> Any:
        for name, build in self._inner.items():
            value = record[name]
            if isinstance(value, dict):
                record[name] = build(value)
            elif isinstance(value, list):
                record[name] = [build(item) for item in value]
        return self._class(**record)


def _checked(schema: AvroSchema) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise ConfigurationError(
            f"Expected an AvroSchema, got {schema!r}: make one with AvroSchema.parse_string(json)."
        )
    return schema

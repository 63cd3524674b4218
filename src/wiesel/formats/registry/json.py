"""JSON by a schema registry, checked against its JSON Schema. Wiesel's own: Flink has no such schema.

Names follow Flink's for Avro, the wire format and the properties Confluent's JSON serializer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from wiesel.core.errors import ConfigurationError, RecordError, TypeMismatchError
from wiesel.core.row import Row
from wiesel.formats.extras import require
from wiesel.formats.registry.client import RegisteredSchema, SchemaRegistryClient, resolve
from wiesel.formats.registry.schemas import (
    IDENTITY_MAP_CAPACITY,
    Read,
    RegistryDeserializationSchema,
    RegistrySerializationSchema,
    flag,
)
from wiesel.formats.registry.subjects import SubjectNameStrategy
from wiesel.formats.registry.wire import HEADER_BYTES, header

_SHOWN = 200
#: Returns what is wrong with a value, None when nothing is.
_Check = Callable[[Any], str | None]


class ConfluentRegistryJsonDeserializationSchema(RegistryDeserializationSchema):
    """Reads JSON records. Made by ``for_generic``."""

    KIND = "JSON"

    def __init__(
        self, schema: str | None, url: str, properties: Mapping[str, Any] | None, identity_map_capacity: int
    ) -> None:
        super().__init__(url, properties, identity_map_capacity)
        self._validates = _validates(properties)
        self._schema = None if schema is None else _parsed(schema)

    @staticmethod
    def for_generic(
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
        *,
        schema: str | None = None,
        identity_map_capacity: int = IDENTITY_MAP_CAPACITY,
    ) -> ConfluentRegistryJsonDeserializationSchema:
        """Return the schema whose values are what JSON holds: dicts, lists, texts, numbers.

        Args:
            schema_registry_url: of the registry; several behind commas.
            registry_configs: properties as for Confluent's Java client; ``json.fail.invalid.schema=false`` takes
                records that do not fit (the Java client's default is false, here it is true, as in Confluent's for
                Python).
            schema: JSON Schema that records must fit, as text; None takes the one that they were written with.
            identity_map_capacity: how many schemas are remembered.
        """
        return ConfluentRegistryJsonDeserializationSchema(
            schema, schema_registry_url, registry_configs, identity_map_capacity
        )

    def _reader(self, client: SchemaRegistryClient, schema_id: int, written: RegisteredSchema) -> Read:
        from msgspec import DecodeError
        from msgspec import json as msgspec_json

        check = self._checker(client, written) if self._validates else None
        decode = msgspec_json.Decoder().decode

        def read(data: bytes) -> Any:
            try:
                value = decode(data[HEADER_BYTES:])
            except (DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise RecordError(f"it is no JSON: {error}") from error
            wrong = None if check is None else check(value)
            if wrong is not None:
                raise RecordError(f"it does not fit the JSON schema (written with schema {schema_id}): {wrong}")
            return value

        return read

    def _checker(self, client: SchemaRegistryClient, written: RegisteredSchema) -> _Check:
        if self._schema is not None:
            return _check(self._schema, [])
        require("jsonschema", "registry", "JSON Schema")  # a library that is not there is no fault of the record's
        try:
            return _registered_check(client, written)
        except ConfigurationError as error:
            raise RecordError(str(error)) from None


class ConfluentRegistryJsonSerializationSchema(RegistrySerializationSchema):
    """Writes JSON records. Made by ``for_generic``."""

    def __init__(
        self, subject: str | SubjectNameStrategy, schema: str, url: str, properties: Mapping[str, Any] | None
    ) -> None:
        self._schema = _parsed(schema)
        self._text = schema
        self._validates = _validates(properties)
        super().__init__(subject, url, properties)

    @staticmethod
    def for_generic(
        subject: str | SubjectNameStrategy,
        schema: str,
        schema_registry_url: str,
        registry_configs: Mapping[str, Any] | None = None,
    ) -> ConfluentRegistryJsonSerializationSchema:
        """Return the schema that takes dicts, lists, texts, numbers, and rows.

        Args:
            subject: what the schema is registered under: a text, or a strategy (the schema's ``title`` is its name).
            schema: JSON Schema, as text; drafts 3 to 2020-12 by its ``$schema``, draft 7 without one.
            schema_registry_url: of the registry; several behind commas.
            registry_configs: properties as for Confluent's Java client; ``json.fail.invalid.schema=false`` writes
                values that do not fit.
        """
        return ConfluentRegistryJsonSerializationSchema(subject, schema, schema_registry_url, registry_configs)

    def _record_name(self) -> str | None:
        title = self._schema.get("title") if isinstance(self._schema, dict) else None
        return None if title is None else str(title)

    def _writer(self, client: SchemaRegistryClient) -> Callable[[Any], bytes]:
        from msgspec import json as msgspec_json

        schema_id, schema = self._settle(client, RegisteredSchema(self._text, "JSON"))
        check = _registered_check(client, schema) if self._validates else None
        front, encode = header(schema_id), msgspec_json.Encoder().encode

        def write(value: Any) -> bytes:
            if isinstance(value, Row):
                value = value.as_dict(recursive=True)
            wrong = None if check is None else check(value)
            if wrong is not None:
                raise TypeMismatchError(
                    f"Expected a value of JSON schema {schema_id} ({self._subject}), got {value!r:.{_SHOWN}}: {wrong}"
                )
            try:
                return front + encode(value)
            except (TypeError, ValueError, RecursionError) as error:
                raise TypeMismatchError(f"{value!r:.{_SHOWN}} cannot be written as JSON: {error}") from error

        return write


def _validates(properties: Mapping[str, Any] | None) -> bool:
    return flag(
        {str(key): str(value) for key, value in (properties or {}).items()}, "json.fail.invalid.schema", default=True
    )


def _parsed(schema: str) -> Any:
    try:
        definition = json.loads(schema)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"This is no JSON schema: {error}: {schema!r:.{_SHOWN}}") from None
    if not isinstance(definition, (dict, bool)):
        raise ConfigurationError(f"A JSON schema is an object, got {schema!r:.{_SHOWN}}.")
    return definition


def _registered_check(client: SchemaRegistryClient, schema: RegisteredSchema) -> _Check:
    imports = [(reference.name, _parsed(one.schema)) for reference, one in resolve(client, schema)]
    return _check(_parsed(schema.schema), imports)


def _check(definition: Any, imports: list[tuple[str, Any]]) -> _Check:
    """Return what checks a value; schemas are never fetched from the URLs that they name."""
    jsonschema = require("jsonschema", "registry", "JSON Schema")
    referencing = require("referencing", "registry", "JSON Schema")
    draft = require("referencing.jsonschema", "registry", "JSON Schema")
    kind = jsonschema.validators.validator_for(definition, default=jsonschema.Draft7Validator)
    try:
        kind.check_schema(definition)
    except jsonschema.SchemaError as error:
        raise ConfigurationError(f"This is no JSON schema: {error.message:.{_SHOWN}}") from None
    resources = [(name, draft.DRAFT7.create_resource(schema)) for name, schema in imports]
    validator = kind(definition, registry=referencing.Registry().with_resources(resources))

    def check(value: Any) -> str | None:
        try:
            wrong = next(validator.iter_errors(value), None)
        except referencing.exceptions.Unresolvable as error:
            return f"the schema names another one that is not registered with it: {error}"
        return None if wrong is None else f"{wrong.json_path}: {wrong.message[:_SHOWN]}"

    return check

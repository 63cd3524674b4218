"""Schemas by a schema registry. PyFlink has no such names: a script that uses them runs here and not on Flink."""

from __future__ import annotations

from wiesel.formats.avro_schema import AvroSchema
from wiesel.formats.registry.avro import (
    ConfluentRegistryAvroDeserializationSchema,
    ConfluentRegistryAvroSerializationSchema,
)
from wiesel.formats.registry.client import IncompatibleSchemaError, MissingSubjectError, UnknownSchemaError
from wiesel.formats.registry.json import (
    ConfluentRegistryJsonDeserializationSchema,
    ConfluentRegistryJsonSerializationSchema,
)
from wiesel.formats.registry.protobuf import (
    ConfluentRegistryProtobufDeserializationSchema,
    ConfluentRegistryProtobufSerializationSchema,
)
from wiesel.formats.registry.subjects import (
    RecordNameStrategy,
    SubjectNameStrategy,
    TopicNameStrategy,
    TopicRecordNameStrategy,
)

__all__ = [
    "AvroSchema",
    "ConfluentRegistryAvroDeserializationSchema",
    "ConfluentRegistryAvroSerializationSchema",
    "ConfluentRegistryJsonDeserializationSchema",
    "ConfluentRegistryJsonSerializationSchema",
    "ConfluentRegistryProtobufDeserializationSchema",
    "ConfluentRegistryProtobufSerializationSchema",
    "IncompatibleSchemaError",
    "MissingSubjectError",
    "RecordNameStrategy",
    "SubjectNameStrategy",
    "TopicNameStrategy",
    "TopicRecordNameStrategy",
    "UnknownSchemaError",
]

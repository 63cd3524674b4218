"""Schemas that make values of whole Kafka records; scripts subclass them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from wiesel.connectors.kafka.records import ConsumerRecord
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import DeserializationSchema
from wiesel.core.types import TypeInformation, Types


class Collector(Protocol):
    """Takes the values of a record (Flink: ``Collector``)."""

    def collect(self, value: Any) -> None:
        """Take one value."""


class KafkaRecordDeserializationSchema:
    """Makes values of whole Kafka records (Flink: ``KafkaRecordDeserializationSchema``).

    PyFlink's class of this name is for its dynamic source and wraps Java's; a script with a subclass runs here only.

    A subclass writes one of two methods::

        class WithTenant(KafkaRecordDeserializationSchema):
            def deserialize(self, record):  # one value; None leaves the record out
                return dict(record.headers)["tenant"], record.value


        class Lines(KafkaRecordDeserializationSchema):
            def deserialize(self, record, out):  # any number of values
                for line in record.value.splitlines():
                    out.collect(line)

    What it raises makes the record a bad one (``KafkaSourceBuilder.set_bad_record_policy``), with none of its values.
    """

    @staticmethod
    def value_only(value_deserialization_schema: DeserializationSchema) -> KafkaRecordDeserializationSchema:
        """Return the schema that looks at the record's value alone (Flink: ``valueOnly``)."""
        if not isinstance(value_deserialization_schema, DeserializationSchema):
            raise TypeError(f"value_only takes a DeserializationSchema, got {value_deserialization_schema!r}")
        return ValueOnly(value_deserialization_schema)

    def open(self) -> None:
        """Prepare; called once in each subtask before the first record."""

    def produced_type(self) -> TypeInformation:
        """Return the type of the values (Flink: ``getProducedType``)."""
        return Types.PICKLED_BYTE_ARRAY()

    #: ``deserialize(record)`` or ``deserialize(record, out)``, see the class; the record is a ``ConsumerRecord``.
    deserialize: Callable[..., Any]


class ValueOnly(KafkaRecordDeserializationSchema):
    """See ``value_only``; the source takes the schema out of it.

    Args:
        schema: for the value.
    """

    def __init__(self, schema: DeserializationSchema) -> None:
        self.schema = schema

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self.schema.produced_type()

    def deserialize(self, record: ConsumerRecord) -> Any:
        """See the base class."""
        return self.schema.deserialize(record.value)


def collects(schema: KafkaRecordDeserializationSchema) -> bool:
    """Whether a schema's ``deserialize`` takes ``out``.

    Raises:
        ConfigurationError: it takes neither a record nor a record and ``out``.
    """
    name = type(schema).__name__
    method = getattr(schema, "deserialize", None)
    if method is None:
        raise ConfigurationError(f"{name} has no deserialize(self, record) and no deserialize(self, record, out).")
    signature = inspect.signature(method)
    for arguments in ((None,), (None, None)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return len(arguments) == 2
    raise ConfigurationError(f"{name}.deserialize{signature} must take (record) or (record, out).")

"""Makes whole Kafka records of values, and refuses what Kafka could not take, before anything is decided about it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka.encoding import RecordSerializerSpec, as_bytes
from wiesel.connectors.kafka.records import Header, ProducerRecord
from wiesel.connectors.kafka.sink_context import KafkaSinkContext
from wiesel.core.errors import RecordError, TypeMismatchError

if TYPE_CHECKING:
    from wiesel.connectors.kafka.partitioners import FlinkKafkaPartitioner

#: Takes a value and its event time in milliseconds (0 or less: none); None writes nothing.
EncodeWhole = Callable[[Any, int], "ProducerRecord | None"]

#: What a header costs beside its name and value: the lengths of both.
_HEADER_BYTES: Final = 10
_MAX_TIMESTAMP: Final = 2**63 - 1


def bind(spec: RecordSerializerSpec, context: KafkaSinkContext) -> EncodeWhole:
    """Return a function from value and event time to a record that Kafka can take.

    It raises what the user's functions raise, ``TypeMismatchError`` or ``RecordError``.
    """
    make = _of_own(spec, context) if spec.own is not None else _of_parts(spec, context)

    def encode(value: Any, timestamp: int) -> ProducerRecord | None:
        record = make(value, timestamp)
        return None if record is None else checked(record, context)

    return encode


def _of_own(spec: RecordSerializerSpec, context: KafkaSinkContext) -> EncodeWhole:
    assert spec.own is not None
    serializer = spec.own.load()
    serializer.open()
    serialize, name = serializer.serialize, type(serializer).__name__

    def make(value: Any, timestamp: int) -> ProducerRecord | None:
        record = serialize(value, context, timestamp if timestamp > 0 else None)
        if record is not None and not isinstance(record, ProducerRecord):
            raise TypeMismatchError(f"{name}.serialize must return a ProducerRecord or None, got {record!r}")
        return record

    return make


def _of_parts(spec: RecordSerializerSpec, context: KafkaSinkContext) -> EncodeWhole:
    encode = spec.bind()
    headers_of: Callable[[Any], Sequence[Header]] = (
        spec.header_provider.load() if spec.header_provider is not None else _no_headers
    )
    partitioner: FlinkKafkaPartitioner | None = None
    if spec.partitioner is not None:
        partitioner = spec.partitioner.load()
        partitioner.open(context.get_parallel_instance_id(), context.get_number_of_parallel_instances())

    def make(value: Any, timestamp: int) -> ProducerRecord:
        topic, key, data = encode(value)
        partition = None
        if partitioner is not None:
            chosen = partitioner.partition(value, key, data, topic, context.get_partitions_for_topic(topic))
            partition = None if chosen == -1 else chosen
        return ProducerRecord(topic, data, key, headers_of(value), timestamp if timestamp > 0 else None, partition)

    return make


def _no_headers(_: Any) -> Sequence[Header]:
    return ()


def checked(record: ProducerRecord, context: KafkaSinkContext) -> ProducerRecord:
    """Return the record with headers as a list of pairs and bytes as bytes.

    Raises:
        TypeMismatchError: a part is of a type that no record has.
        RecordError: Kafka would refuse the record, or the client alter it.
    """
    topic, value, key, headers, timestamp, partition = record
    if type(topic) is not str:
        raise TypeMismatchError(f"a record's topic must be a str, got {topic!r}")
    if partition is not None:
        if type(partition) is not int:
            raise TypeMismatchError(f"a record's partition must be an int or None, got {partition!r}")
        if not context.has_partition(topic, partition):
            known = len(context.get_partitions_for_topic(topic))
            raise RecordError(f"topic {topic!r} has the partitions 0 to {known - 1}, and no {partition}")
    if timestamp is not None:
        if type(timestamp) is not int:
            raise TypeMismatchError(f"a record's timestamp must be an int (milliseconds) or None, got {timestamp!r}")
        if not 0 < timestamp <= _MAX_TIMESTAMP:
            raise RecordError(
                f"a record's timestamp must be positive milliseconds since 1970, got {timestamp}; None is the time of "
                "writing"
            )
    return ProducerRecord(
        topic,
        as_bytes(value, "a record's value"),
        as_bytes(key, "a record's key"),
        [_header(pair) for pair in headers] if headers else (),
        timestamp,
        partition,
    )


def _header(pair: Any) -> Header:
    try:
        name, value = pair
    except (TypeError, ValueError):
        raise TypeMismatchError(f"headers are pairs of name and bytes, got {pair!r}") from None
    if type(name) is not str:
        raise TypeMismatchError(f"a header's name must be a str, got {name!r}")
    _bytes_of_name(name)
    return name, value if type(value) is bytes else as_bytes(value, f"header {name!r}")


@functools.lru_cache(maxsize=1024)
def _bytes_of_name(name: str) -> int:
    """Return how long a header's name is; few names make up most headers."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    # The client reads names as C does: it ends them at a NUL, and dies of a lone surrogate.
    if b"\0" in encoded:
        raise RecordError(f"a header's name must be Unicode text without NUL, got {name!r}")
    return len(encoded)


def size_of(record: ProducerRecord) -> int:
    """Return the bytes of key, value and headers."""
    size = (0 if record.value is None else len(record.value)) + (0 if record.key is None else len(record.key))
    for name, value in record.headers:
        size += _bytes_of_name(name) + (0 if value is None else len(value)) + _HEADER_BYTES
    return size

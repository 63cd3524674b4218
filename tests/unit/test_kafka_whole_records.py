"""Whole records on their way to Kafka: what is made of values, what is refused, what the log keeps."""

import itertools
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_kafka_wal import NOW, Clock, Topics
from wiesel.connectors.kafka.admission import Admission
from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.encoding import RecordSerializerSpec
from wiesel.connectors.kafka.partitioners import murmur2
from wiesel.connectors.kafka.sink_context import KafkaSinkContext
from wiesel.connectors.kafka.wal import Block, SegmentFile, read_segment
from wiesel.connectors.kafka.wal_writer import WalWriter
from wiesel.connectors.kafka.whole_records import bind, size_of
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SinkContext
from wiesel.core.disk import OsDisk
from wiesel.core.errors import (
    CheckpointCorruptError,
    CheckpointError,
    ConfigurationError,
    RecordError,
    TypeMismatchError,
)
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors.kafka import (
    FlinkFixedPartitioner,
    FlinkKafkaPartitioner,
    HeaderProvider,
    KafkaRecordSerializationSchema,
    KeyHashPartitioner,
    ProducerRecord,
    RoundRobinPartitioner,
    key_hash_partition,
)

WHOLE: list[Block] = [("a", -1, [(b"k", b"v", 1, [("h", b"1"), ("h", None)], 3), (None, None, 2, [], -1)])]


def context(partitions: int = 4, subtask: int = 0) -> KafkaSinkContext:
    return KafkaSinkContext(subtask, 2, lambda topic: partitions)


def spec_of(record: Any) -> RecordSerializerSpec:
    """A serializer of the user's that writes one record, whatever the value."""

    class Constant(KafkaRecordSerializationSchema):
        def serialize(self, element: Any, context: Any, timestamp: Any) -> Any:  # type: ignore[override]
            return record

    return Constant().spec


def encoded(record: Any, partitions: int = 4) -> ProducerRecord | None:
    return bind(spec_of(record), context(partitions))("value", NOW)


# --------------------------------------------------------------------------------------------------- partitioners


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_key_s_hash_is_the_one_of_java_s_client(key: str, expected: int) -> None:
    assert murmur2(key.encode()) == expected
    assert key_hash_partition(key.encode(), 10) == (expected & 0x7FFFFFFF) % 10


def choices(partitioner: FlinkKafkaPartitioner, keys: Sequence[bytes | None], subtask: int = 0) -> list[int]:
    partitioner.open(subtask, 2)
    return [partitioner.partition("value", key, b"v", "topic", range(4)) for key in keys]


def test_partitioners_choose_as_their_names_say() -> None:
    assert choices(RoundRobinPartitioner(), [b"k"] * 6) == [0, 1, 2, 3, 0, 1]
    assert choices(RoundRobinPartitioner(), [b"k"] * 3, subtask=1) == [1, 2, 3]
    assert choices(FlinkFixedPartitioner(), [b"k", None], subtask=1) == [1, 1]
    assert choices(KeyHashPartitioner(), [b"foobar", None]) == [(-790332482 & 0x7FFFFFFF) % 4, -1]


def test_a_partitioner_may_leave_the_choice_to_the_client() -> None:
    builder = KafkaRecordSerializationSchema.builder().set_topic("t").set_partitioner(KeyHashPartitioner())
    spec = builder.set_value_serialization_schema(SimpleStringSchema()).build().spec
    record = bind(spec, context())("value", NOW)
    assert record == ProducerRecord("t", b"value", None, (), NOW, None)


# ------------------------------------------------------------------------------------------ what is made of values


class Tenant(HeaderProvider):
    def get_headers(self, element: str) -> Sequence[tuple[str, bytes]]:
        return [("tenant", element[:1].encode())]


def test_the_builder_makes_key_value_headers_partition_and_event_time() -> None:
    spec = (
        KafkaRecordSerializationSchema.builder()
        .set_topic("t")
        .set_key_serialization_schema(SimpleStringSchema())
        .set_value_serialization_schema(SimpleStringSchema())
        .set_header_provider(Tenant())
        .set_partitioner(RoundRobinPartitioner())
        .build()
        .spec
    )
    assert pickle.loads(pickle.dumps(spec)) == spec
    encode = bind(spec, context())
    assert encode("ab", 5) == ProducerRecord("t", b"ab", b"ab", [("tenant", b"a")], 5, 0)
    assert encode("cd", -(2**63)) == ProducerRecord("t", b"cd", b"cd", [("tenant", b"c")], None, 1)


def test_a_serializer_of_the_user_s_sees_value_context_and_event_time() -> None:
    class Own(KafkaRecordSerializationSchema):
        def open(self) -> None:
            self.opened = True

        def serialize(self, element: Any, context: Any, timestamp: Any) -> Any:  # type: ignore[override]
            if element == "nothing":
                return None
            seen = (
                self.opened,
                context.get_parallel_instance_id(),
                context.get_number_of_parallel_instances(),
                list(context.get_partitions_for_topic("t")),
                timestamp,
            )
            return ProducerRecord("t", repr(seen).encode())

    encode = bind(Own().spec, context(partitions=2, subtask=1))
    record = encode("a", 7)
    assert record is not None
    assert record.value == b"(True, 1, 2, [0, 1], 7)"
    without = encode("a", -(2**63))
    assert without is not None
    assert (without.value or b"").endswith(b"None)")
    assert encode("nothing", 7) is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("text", "must return a ProducerRecord"),
        (ProducerRecord("t", "text"), "value must give bytes"),  # type: ignore[arg-type]
        (ProducerRecord("t", b"", key=5), "key must give bytes"),  # type: ignore[arg-type]
        (ProducerRecord("t", b"", headers=[("h", "text")]), "header 'h' must give bytes"),  # type: ignore[list-item]
        (ProducerRecord("t", b"", headers=[(b"h", b"")]), "name must be a str"),  # type: ignore[list-item]
        (ProducerRecord("t", b"", headers=["h"]), "pairs"),  # type: ignore[list-item]
        (ProducerRecord("t", b"", timestamp=1.5), "timestamp must be an int"),  # type: ignore[arg-type]
        (ProducerRecord("t", b"", partition="0"), "partition must be an int"),  # type: ignore[arg-type]
        (ProducerRecord(None, b""), "topic must be a str"),  # type: ignore[arg-type]
    ],
)
def test_parts_of_a_type_that_no_record_has_are_refused(record: Any, message: str) -> None:
    with pytest.raises(TypeMismatchError, match=message):
        encoded(record)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (ProducerRecord("t", b"", headers=[("a\0b", b"")]), "without NUL"),
        (ProducerRecord("t", b"", headers=[("\ud800", b"")]), "Unicode text"),
        (ProducerRecord("t", b"", timestamp=-1), "must be positive milliseconds"),
        (ProducerRecord("t", b"", timestamp=0), "must be positive milliseconds"),
        (ProducerRecord("t", b"", timestamp=2**63), "must be positive milliseconds"),
        (ProducerRecord("t", b"", partition=4), "partitions 0 to 3, and no 4"),
        (ProducerRecord("t", b"", partition=-1), "partitions 0 to 3, and no -1"),
    ],
)
def test_what_kafka_would_refuse_or_the_client_alter_is_refused(record: ProducerRecord, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        encoded(record)


def test_partitions_that_were_added_are_asked_for_before_one_is_refused() -> None:
    answers = iter([2, 5])
    growing = KafkaSinkContext(0, 1, lambda topic: next(answers))
    encode = bind(spec_of(ProducerRecord("t", b"", partition=4)), growing)
    record = encode("value", NOW)
    assert record is not None
    assert record.partition == 4


def test_bytes_of_other_kinds_become_bytes() -> None:
    record = ProducerRecord("t", bytearray(b"v"), memoryview(b"k"), [("h", bytearray(b"x"))])  # type: ignore[arg-type,list-item]
    assert encoded(record) == ProducerRecord("t", b"v", b"k", [("h", b"x")])


def test_builders_refuse_what_is_no_partitioner_provider_or_serializer() -> None:
    builder = KafkaRecordSerializationSchema.builder()
    with pytest.raises(TypeError, match="set_partitioner takes a FlinkKafkaPartitioner"):
        builder.set_partitioner("murmur2")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="set_header_provider takes a HeaderProvider or a callable"):
        builder.set_header_provider([("a", b"")])  # type: ignore[arg-type]

    class Forgotten(KafkaRecordSerializationSchema):
        pass

    with pytest.raises(ConfigurationError, match=r"Forgotten has no serialize\(self, element, context, timestamp\)"):
        Forgotten().spec  # noqa: B018  # the property raises


# ------------------------------------------------------------------------------------------------------- the log


def segment(path: Path) -> Segment:
    file = SegmentFile(OsDisk(), path / "s.wal", 2)
    for block in WHOLE:
        file.append(block)
    return file.finish("tid", "L.1", 7, 3, "s.wal")


def test_a_segment_of_version_2_holds_headers_and_partitions(tmp_path: Path) -> None:
    written = segment(tmp_path)
    assert (tmp_path / "s.wal").read_bytes().startswith(b"WIESELW2")
    assert list(read_segment(OsDisk(), tmp_path, written)) == WHOLE


def test_a_segment_is_never_read_as_one_of_another_version(tmp_path: Path) -> None:
    written = segment(tmp_path)
    content = (tmp_path / "s.wal").read_bytes()
    for magic, error, message in (
        (b"WIESELW1", CheckpointCorruptError, "damaged"),
        (b"WIESELW9", CheckpointError, "newer release of Wiesel"),
        (b"SOMETHIN", CheckpointCorruptError, "damaged"),
    ):
        (tmp_path / "s.wal").write_bytes(magic + content[8:])
        with pytest.raises(error, match=message):
            read_segment(OsDisk(), tmp_path, written)


def whole_writer(path: Path, record: Callable[[str], ProducerRecord | None], **topics: dict[str, str]) -> WalWriter:
    class Own(KafkaRecordSerializationSchema):
        def serialize(self, element: Any, context: Any, timestamp: Any) -> Any:  # type: ignore[override]
            return record(element)

    names = itertools.count()
    sink = SinkContext("sink", "Sink", 0, 1, "L.1", 0, path, Configuration(), Clock(), _fail)
    admission = Admission(Topics(**(topics or {"t": {}})), 1_048_576)
    encode = bind(Own().spec, context())
    return WalWriter(
        "tid", None, admission, sink, [], OsDisk(), "process", lambda: str(next(names)), encode_whole=encode
    )


def _fail(error: BaseException) -> None:
    raise error


def logged(path: Path, writing: WalWriter) -> list[Any]:
    (committable,) = writing.prepare_commit(1)
    blocks = read_segment(OsDisk(), path, Segment.from_json(committable.data))
    return [record for _, _, records in blocks for record in records]


def test_the_log_keeps_headers_own_times_and_partitions_in_the_order_of_writing(tmp_path: Path) -> None:
    records = {
        "a": ProducerRecord("t", b"a", b"k", [("h", b"1")], NOW - 5, 3),
        "b": ProducerRecord("t", b"b"),
        "c": None,
        "d": ProducerRecord("t", None, partition=3),
    }
    writing = whole_writer(tmp_path, records.__getitem__)
    for value in records:
        writing.write(value, NOW)
    assert writing.records_written() == 3
    assert writing.bytes_written() == sum(size_of(record) for record in records.values() if record is not None)
    assert logged(tmp_path, writing) == [
        (b"k", b"a", NOW - 5, [("h", b"1")], 3),
        (None, b"b", NOW, [], -1),
        (None, None, NOW, [], 3),
    ]


def test_a_compacted_topic_takes_no_record_without_a_key(tmp_path: Path) -> None:
    records = {"keyed": ProducerRecord("t", None, b"k"), "keyless": ProducerRecord("t", b"v")}
    writing = whole_writer(tmp_path, records.__getitem__, t={"cleanup.policy": "compact,delete"})
    writing.write("keyed", NOW)
    with pytest.raises(RecordError, match="is compacted"):
        writing.write("keyless", NOW)
    assert len(logged(tmp_path, writing)) == 1


def test_headers_count_towards_the_largest_record_and_own_timestamps_are_checked(tmp_path: Path) -> None:
    limits = {"max.message.bytes": "10000", "message.timestamp.after.max.ms": "5000"}
    records = {
        "fits": ProducerRecord("t", b"v" * 4000, headers=[("h", b"x" * 5000)]),
        "large": ProducerRecord("t", b"v" * 4000, headers=[("h", b"x" * 6000)]),
        "many": ProducerRecord("t", b"", headers=[("h", None)] * 1000),
        "late": ProducerRecord("t", b"", timestamp=NOW + 5001),
        "nameless": ProducerRecord("bad name", b""),
    }
    writing = whole_writer(tmp_path, records.__getitem__, t=limits)
    writing.write("fits", NOW)
    for value, message in (
        ("large", "larger than topic"),
        ("many", "larger than topic"),
        ("late", "in the future"),
        ("nameless", "'bad name', which is no name"),
    ):
        with pytest.raises(RecordError, match=message):
            writing.write(value, NOW)
    assert len(logged(tmp_path, writing)) == 1

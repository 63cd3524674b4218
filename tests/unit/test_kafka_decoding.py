"""From messages to values: schemas of values and of whole records, and the three policies for bad ones."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import Message

from wiesel.connectors.hybrid import HybridSourceSpec
from wiesel.connectors.kafka.bad_records import BadRecords, configured_policy, dead_letter
from wiesel.connectors.kafka.decoding import Decoder, decoder_for
from wiesel.connectors.kafka.partitions import Partition
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import (
    AuthorizationError,
    ConfigurationError,
    ConnectionFailedError,
    RecordError,
    WieselError,
)
from wiesel.core.serialization import DeserializationSchema, SimpleStringSchema
from wiesel.core.types import Types
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    BadRecordPolicy,
    Collector,
    ConsumerRecord,
    KafkaRecordDeserializationSchema,
    KafkaSource,
    KafkaSourceBuilder,
)

PARTITION = Partition("t", 3)
CONTEXT = SourceContext("uid", "Source: s", 1, 2, Configuration(), lambda: None)


class Number(DeserializationSchema):
    """Numbers; counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes | None] = []

    def deserialize(self, data: bytes | None) -> int | None:
        self.asked.append(data)
        return None if data == b"-" else int(data or b"")


class NumberInBatches(Number):
    def deserialize_batch(self, batch: Any) -> list[Any]:
        return [int(data) for data in batch]


def messages(*values: bytes | None, **more: Any) -> list[Message]:
    return [
        Message(topic="t", partition=3, offset=10 + i, value=value, timestamp=(1, 100 + i), **more)
        for i, value in enumerate(values)
    ]


def decode(decoder: Decoder, found: Sequence[Message]) -> Any:
    return decoder.batch(PARTITION, found, [message.timestamp()[1] for message in found])


def with_policy(schema: Any, policy: BadRecordPolicy) -> tuple[Decoder, BadRecords]:
    bad = BadRecords(policy, CONTEXT)
    return decoder_for(schema, bad), bad


@pytest.mark.parametrize("schema", [Number, NumberInBatches])
def test_a_bad_record_fails_by_default_and_its_place_is_told(schema: type[Number]) -> None:
    decoder, _ = with_policy(schema(), BadRecordPolicy.fail())
    with pytest.raises(
        RecordError, match=f"t-3 offset 11 cannot be decoded by {schema.__name__}: ValueError"
    ) as raised:
        decode(decoder, messages(b"1", b"x", b"3"))
    assert isinstance(raised.value.__cause__, ValueError)


@pytest.mark.parametrize("schema", [Number, NumberInBatches])
def test_skipped_records_are_left_out_and_counted(schema: type[Number]) -> None:
    decoder, bad = with_policy(schema(), BadRecordPolicy.skip())
    batch = decode(decoder, messages(b"1", b"x", None, b"4"))
    assert (batch.values, batch.timestamps, batch.side_outputs) == ([1, 4], [100, 103], None)
    assert batch.locate(1) == "t-3 offset 13"
    assert decode(decoder, messages(b"x")) is None
    assert bad.metrics() == {"numRecordsInErrors": 3, "numRecordsSkipped": 3, "numRecordsDeadLettered": 0}


def test_a_schema_of_the_user_s_sees_each_record_once() -> None:
    schema = Number()
    decoder, _ = with_policy(schema, BadRecordPolicy.skip())
    decode(decoder, messages(b"1", b"x", b"3", b"y"))
    assert schema.asked == [b"1", b"x", b"3", b"y"]


def test_a_record_that_the_schema_leaves_out_is_no_bad_record() -> None:
    decoder, bad = with_policy(Number(), BadRecordPolicy.skip())
    assert decode(decoder, messages(b"-", b"2")).values == [2]
    assert bad.metrics()["numRecordsInErrors"] == 0


def test_dead_letters_are_a_side_output_that_watermarks_do_not_see() -> None:
    decoder, bad = with_policy(Number(), BadRecordPolicy.dead_letter("dead"))
    batch = decode(decoder, messages(b"1", b"x", key=b"k"))
    assert batch.values == [1]
    ((tag, [(letter, timestamp)]),) = batch.side_outputs.items()
    assert (tag, timestamp) == ("dead-letters-dead", MIN_TIMESTAMP)
    assert (letter.topic, letter.key, letter.value, letter.timestamp) == ("dead", b"k", b"x", None)
    only_bad = decode(decoder, messages(b"y"))
    assert only_bad.values == []
    assert len(only_bad.side_outputs[tag]) == 1
    assert bad.metrics() == {"numRecordsInErrors": 2, "numRecordsSkipped": 0, "numRecordsDeadLettered": 2}


def test_a_dead_letter_says_where_the_record_lay_and_what_was_wrong() -> None:
    (message,) = messages(b"x", headers=[("own", b"1"), ("own", None)])
    letter = dead_letter("dead", message, ValueError("m" * 2000), CONTEXT)
    assert list(letter.headers[:2]) == [("own", b"1"), ("own", None)]
    assert dict(letter.headers[2:]) == {
        "__connect.errors.topic": b"t",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"10",
        "__wiesel.errors.timestamp": b"100",
        "__connect.errors.connector.name": b"Source: s",
        "__connect.errors.task.id": b"1",
        "__connect.errors.exception.class.name": b"ValueError",
        "__connect.errors.exception.message": b"m" * 1000 + "…".encode(),
    }


def test_too_little_memory_is_never_the_record_s_fault() -> None:
    class Hungry(DeserializationSchema):
        def deserialize(self, data: bytes | None) -> Any:
            raise MemoryError

    decoder, _ = with_policy(Hungry(), BadRecordPolicy.skip())
    with pytest.raises(RecordError, match="MemoryError"):
        decode(decoder, messages(b"x"))


@pytest.mark.parametrize("kind", [ConnectionFailedError, AuthorizationError, ConfigurationError])
@pytest.mark.parametrize(
    "policy", [BadRecordPolicy.fail(), BadRecordPolicy.skip(), BadRecordPolicy.dead_letter("dead")]
)
def test_a_schema_registry_that_cannot_be_asked_is_never_the_record_s_fault(
    kind: type[WieselError], policy: BadRecordPolicy
) -> None:
    class Asking(DeserializationSchema):
        def deserialize(self, data: bytes | None) -> Any:
            raise kind("the registry does not answer")

    decoder, bad = with_policy(Asking(), policy)
    with pytest.raises(kind, match="does not answer"):
        decode(decoder, messages(b"x"))
    assert bad.metrics()["numRecordsInErrors"] == 0


# --------------------------------------------------------------------------------------------------- whole records


class Places(KafkaRecordDeserializationSchema):
    def open(self) -> None:
        self.opened = True

    def deserialize(self, record: ConsumerRecord) -> Any:
        assert self.opened
        return None if record.value is None else (record.topic, record.partition, record.offset, record.headers)


class Words(KafkaRecordDeserializationSchema):
    def deserialize(self, record: ConsumerRecord, out: Collector) -> None:
        for word in (record.value or b"").split():
            if word == b"bad":
                raise ValueError(word)
            out.collect(word)


def test_a_schema_of_whole_records_gives_one_value_or_none_for_each() -> None:
    decoder, _ = with_policy(Places(), BadRecordPolicy.fail())
    batch = decode(decoder, messages(b"1", None, b"3", headers=[("h", b"x")]))
    assert batch.values == [("t", 3, 10, [("h", b"x")]), ("t", 3, 12, [("h", b"x")])]
    assert batch.timestamps == [100, 102]


def test_a_schema_of_whole_records_may_give_many_values_and_a_bad_record_gives_none_of_its() -> None:
    decoder, bad = with_policy(Words(), BadRecordPolicy.skip())
    batch = decode(decoder, messages(b"a b", b"", b"c bad d", b"e"))
    assert (batch.values, batch.timestamps) == ([b"a", b"b", b"e"], [100, 100, 103])
    assert [batch.locate(i) for i in range(3)] == ["t-3 offset 10", "t-3 offset 10", "t-3 offset 13"]
    assert bad.metrics()["numRecordsInErrors"] == 1


def source() -> KafkaSourceBuilder:
    return KafkaSource.builder().set_bootstrap_servers("b:1").set_topics("t")


def spec(builder: KafkaSourceBuilder) -> KafkaSourceSpec:
    found = builder.build().spec
    assert isinstance(found, KafkaSourceSpec)
    return found


def test_value_only_is_the_schema_of_values() -> None:
    schema = KafkaRecordDeserializationSchema.value_only(SimpleStringSchema())
    assert source().set_deserializer(schema).build().produced_type() == Types.STRING()
    decoder, _ = with_policy(schema, BadRecordPolicy.fail())
    assert decode(decoder, messages(b"text")).values == ["text"]
    with pytest.raises(TypeError, match="value_only takes a DeserializationSchema"):
        KafkaRecordDeserializationSchema.value_only("text")  # type: ignore[arg-type]


def test_a_deserializer_of_another_kind_is_refused_with_what_to_write() -> None:
    class Forgotten(KafkaRecordDeserializationSchema):
        pass

    class Three(KafkaRecordDeserializationSchema):
        def deserialize(self, a: Any, b: Any, c: Any) -> None: ...

    with pytest.raises(TypeError, match="set_value_only_deserializer"):
        source().set_deserializer(SimpleStringSchema())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"Forgotten has no deserialize\(self, record\)"):
        source().set_deserializer(Forgotten())
    with pytest.raises(ConfigurationError, match=r"Three\.deserialize\(a.*must take \(record\) or \(record, out\)"):
        source().set_deserializer(Three())


# -------------------------------------------------------------------------------------------------- the policy's way


def configuration(**values: str) -> Configuration:
    result = Configuration()
    for key, value in values.items():
        result.set_string(f"wiesel.kafka.{key.replace('_', '-')}", value)
    return result


def test_the_configuration_decides_where_the_source_does_not() -> None:
    skipping = configuration(bad_records="skip")
    undecided = source().set_value_only_deserializer(SimpleStringSchema())
    assert spec(undecided).with_configuration(Configuration()).bad_records == BadRecordPolicy.fail()
    assert spec(undecided).with_configuration(skipping).bad_records == BadRecordPolicy.skip()
    decided = undecided.set_bad_record_policy(BadRecordPolicy.fail())
    assert spec(decided).with_configuration(skipping).bad_records == BadRecordPolicy.fail()
    letters = configuration(
        bad_records="dead-letter", dead_letter_topic="d", dead_letter_transactional_id_prefix="mine"
    )
    assert configured_policy(letters) == BadRecordPolicy.dead_letter("d", "mine")


def test_a_policy_that_lacks_something_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"needs wiesel\.kafka\.dead-letter-topic"):
        configured_policy(configuration(bad_records="dead-letter"))
    with pytest.raises(ConfigurationError, match=r"no effect without wiesel\.kafka\.bad-records=dead-letter"):
        configured_policy(configuration(dead_letter_topic="d"))
    with pytest.raises(ConfigurationError, match="name of a topic, got 'a b'"):
        BadRecordPolicy.dead_letter("a b")
    with pytest.raises(TypeError, match="takes a BadRecordPolicy"):
        source().set_bad_record_policy("skip")  # type: ignore[arg-type]


def dead_lettering(builder: KafkaSourceBuilder, *arguments: Any) -> KafkaSourceSpec:
    builder.set_value_only_deserializer(SimpleStringSchema())
    return spec(builder.set_bad_record_policy(BadRecordPolicy.dead_letter("dead", *arguments)))


def test_dead_letters_are_written_exactly_once_under_the_group_s_name_with_the_source_s_login() -> None:
    login = source().set_group_id("g").set_property("sasl.password", "secret").set_property("fetch.min.bytes", "1")
    (side,) = dead_lettering(login).side_sinks()
    assert isinstance(side.sink, KafkaSinkSpec)
    assert (side.tag, side.name) == ("dead-letters-dead", "Dead letters: dead")
    assert (side.sink.guarantee, side.sink.identity) == (DeliveryGuarantee.EXACTLY_ONCE, "g-dead-letters")
    assert side.sink.properties["sasl.password"] == "secret"
    assert "fetch.min.bytes" not in side.sink.properties
    (named,) = dead_lettering(source(), "mine").side_sinks()
    assert named.sink.identity == "mine"
    with pytest.raises(ConfigurationError, match="set_group_id"):
        dead_lettering(source()).side_sinks()
    (plain,) = dead_lettering(source(), None, DeliveryGuarantee.AT_LEAST_ONCE).side_sinks()
    assert plain.sink.identity is None


def test_sources_that_are_read_in_turn_share_one_sink_of_dead_letters() -> None:
    first, second = (dead_lettering(source().set_group_id("g")) for _ in range(2))
    assert len(HybridSourceSpec((first, second), None).side_sinks()) == 1
    other = dead_lettering(source().set_group_id("other"))
    with pytest.raises(ConfigurationError, match="write it differently"):
        HybridSourceSpec((first, other), None).side_sinks()

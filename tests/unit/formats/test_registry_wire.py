"""Confluent's wire format, subjects, and the names of Protobuf's messages."""

import base64
import struct

import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st

from wiesel.core.errors import ConfigurationError, RecordError
from wiesel.formats.registry.proto_names import message_path, message_tree, name_at
from wiesel.formats.registry.subjects import (
    RecordNameStrategy,
    TopicNameStrategy,
    TopicRecordNameStrategy,
    subject_of,
)
from wiesel.formats.registry.wire import header, message_indexes, read_message_indexes, schema_id_of


def test_a_record_begins_with_a_zero_byte_and_the_schema_s_id_in_network_order() -> None:
    assert header(258) == b"\x00\x00\x00\x01\x02"
    assert schema_id_of(b"\x00\x00\x00\x01\x02rest") == 258


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "0 bytes"), (b"\x00\x00\x01", "3 bytes"), (b'{"a": 1}', "not with 0x7b"), (b"\xff\x00\x00\x00\x01", "0xff")],
)
def test_another_format_is_named(data: bytes, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        schema_id_of(data)


def test_the_first_message_of_a_file_is_one_zero_byte_and_others_are_a_count_and_places() -> None:
    assert message_indexes([0]) == b"\x00"
    assert message_indexes([1]) == b"\x02\x02"
    assert message_indexes([2, 0]) == b"\x04\x04\x00"
    assert message_indexes([100]) == b"\x02\xc8\x01"


@given(st.lists(st.integers(0, 1 << 20), min_size=1, max_size=6), st.binary(max_size=5))
def test_a_message_s_place_survives(path: list[int], payload: bytes) -> None:
    data = message_indexes(path) + payload
    read, position = read_message_indexes(data, 0)
    assert (list(read), data[position:]) == (path, payload)


@given(st.binary(max_size=12))
def test_no_bytes_do_worse_than_an_error(data: bytes) -> None:
    try:
        read_message_indexes(data, 0)
    except RecordError:
        pass


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02\xff", b"\xff" * 12, b"\x01\x00", struct.pack(">b", 127) * 2])
def test_a_place_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_message_indexes(data, 0)


def test_subjects_are_confluent_s() -> None:
    assert subject_of("mine", "shop.Order") == "mine"
    assert subject_of(TopicNameStrategy("orders"), "shop.Order") == "orders-value"
    assert subject_of(TopicNameStrategy("orders", is_key=True), None) == "orders-key"
    assert subject_of(RecordNameStrategy(), "shop.Order") == "shop.Order"
    assert subject_of(TopicRecordNameStrategy("orders"), "shop.Order") == "orders-shop.Order"


@pytest.mark.parametrize("strategy", [RecordNameStrategy(), TopicRecordNameStrategy("orders")])
def test_a_strategy_that_needs_a_name_says_so(strategy: RecordNameStrategy | TopicRecordNameStrategy) -> None:
    with pytest.raises(ConfigurationError, match="needs the record's name"):
        subject_of(strategy, None)


def test_a_subject_of_another_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="text or a SubjectNameStrategy"):
        subject_of("", None)


PROTO = """
syntax = "proto2";
// message Comment {}
package shop.v1;
option note = "message Text { }";
enum Colour { RED = 0; }
/* message Longer { */
message Customer {
  map<string, int32> marks = 1;
  message Address { message Line { } optional string street = 1; }
  oneof which { string a = 2; int32 b = 3; }
  message Mail { }
}
service Shop { rpc Buy(Order) returns (Order) { } }
message Order {
  repeated group Item = 1 [deprecated = true] { optional string id = 2; }
}
"""


def test_names_of_messages_come_from_the_text_of_a_file() -> None:
    tree = message_tree(PROTO)
    found = {path: name_at(tree, path) for path in [(0,), (0, 0), (0, 0, 0), (0, 1), (1,), (1, 0), (2,), (0, 2)]}
    assert found == {
        (0,): "shop.v1.Customer",
        (0, 0): "shop.v1.Customer.Address",
        (0, 0, 0): "shop.v1.Customer.Address.Line",
        (0, 1): "shop.v1.Customer.Mail",
        (1,): "shop.v1.Order",
        (1, 0): "shop.v1.Order.Item",
        (2,): None,
        (0, 2): None,
    }
    assert message_path(tree, "shop.v1.Customer.Mail") == (0, 1)
    assert message_path(tree, "shop.v1.Nothing") is None


def test_entries_of_maps_do_not_count_in_a_descriptor() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="a.proto")
    outer = file.message_type.add(name="Outer")
    outer.nested_type.add(name="MarksEntry").options.map_entry = True
    outer.nested_type.add(name="Inner")
    tree = message_tree(base64.b64encode(file.SerializeToString()).decode())
    assert name_at(tree, (0, 0)) == "Outer.Inner"


@pytest.mark.parametrize("schema", ["message A { } }", base64.b64encode(b"\xff" * 20).decode()])
def test_a_schema_that_is_no_protobuf_is_refused(schema: str) -> None:
    with pytest.raises(RecordError, match="no Protobuf file"):
        message_tree(schema)

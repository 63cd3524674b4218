"""Mask card numbers, encrypt the output, keep whole records, and set bad ones aside.

    export PAYMENT_KEYS="2026-11 $(head -c 32 /dev/urandom | base64)"
    wiesel run examples/payments.py --input payments --output payments-safe --dead payments-dead
    wiesel dlq show payments-dead

Payments are JSON with a card, an amount and the name of a customer. The output has a token in the place of the card,
the same for equal cards, and is encrypted; its key is the token, and its header says which tenant it belongs to. What
is no payment goes to the dead-letter topic. --bounded stops at the end that the topic has when the job starts.

The names out of `wiesel` are not PyFlink's: this script does not run on Flink. It needs `pip install 'wiesel[crypto]'`.
"""

import argparse
import json

from pyflink.common import WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSink, KafkaSource

from wiesel.datastream.connectors.kafka import (
    BadRecordPolicy,
    ConsumerRecord,
    KafkaRecordDeserializationSchema,
    KafkaRecordSerializationSchema,
    ProducerRecord,
)
from wiesel.datastream.formats.encryption import EncryptingSchema, KeyRing, MaskFields

KEYS = KeyRing.from_environment("PAYMENT_KEYS")


class Payments(KafkaRecordDeserializationSchema):
    """A payment with the tenant that its record's header names."""

    def deserialize(self, record: ConsumerRecord) -> dict:
        payment = json.loads(record.value)
        tenant = dict(record.headers).get("tenant", b"unknown").decode()
        return {"tenant": tenant, "card": payment["card"], "amount": payment["amount"], "name": payment["name"]}


class SafePayments(KafkaRecordSerializationSchema):
    """An encrypted payment under its token."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self.topic = topic
        self.schema = EncryptingSchema(SimpleStringSchema(), KEYS, context=topic)

    def open(self) -> None:
        self.schema.open()

    def serialize(self, payment, context, timestamp):
        return ProducerRecord(
            self.topic,
            key=payment["card"].encode(),
            value=self.schema.serialize(json.dumps(payment)),
            headers=[("tenant", payment["tenant"].encode())],
            timestamp=timestamp,
        )


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(1000)

    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("payments")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_deserializer(Payments())
        .set_bad_record_policy(BadRecordPolicy.dead_letter(args.dead))
    )
    if args.bounded:
        source.set_bounded(KafkaOffsetsInitializer.latest())

    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_record_serializer(SafePayments(args.output))
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix("payments")
        .build()
    )

    (
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "payments")
        .map(MaskFields(KEYS, "card"))
        .sink_to(sink)
    )
    env.execute("payments")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--dead", required=True)
    parser.add_argument("--bounded", action="store_true")
    main(parser.parse_args())

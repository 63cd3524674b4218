"""Drives an exactly-once Kafka sink by its contracts alone, in the place of the JobMaster and its checkpoints."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.core.clock import SystemClock
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable, Committer, CommitterContext, Json, SinkContext, SinkWriter
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink

UID = "sink"
_uuids = itertools.count(1)
#: For the marker of a commit that Kafka has acknowledged already.
_MARKER_SECONDS = 5.0


def sink_to(servers: str, topic: str, prefix: str, **properties: str) -> KafkaSinkSpec:
    """An exactly-once sink of text."""
    builder = KafkaSink.builder().set_bootstrap_servers(servers).set_transactional_id_prefix(prefix)
    builder.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    builder.set_record_serializer(
        KafkaRecordSerializationSchema.builder()
        .set_topic(topic)
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    for key, value in properties.items():
        builder.set_property(key.replace("_", "."), value)
    spec = builder.build().spec
    assert isinstance(spec, KafkaSinkSpec)
    return spec


@dataclass(frozen=True)
class Checkpoint:
    """What a complete checkpoint says about the sink."""

    lineage: str
    pending: Sequence[Committable] = ()
    committer: Json = None
    writers: Sequence[Json] = ()


@dataclass
class Store:
    """A job directory."""

    path: Path
    uuid: str = field(default_factory=lambda: f"store-{next(_uuids)}")
    starts: int = 0
    claimed: bool = False
    most_writers: int = 0
    checkpoint: Checkpoint = field(init=False)

    def __post_init__(self) -> None:
        self.checkpoint = Checkpoint(self.lineage(1))

    def lineage(self, ordinal: int) -> str:
        return f"{self.uuid}.{ordinal}"

    def start(self, sink: KafkaSinkSpec, *, writers: int = 1, lineage: int | None = None, rewound: bool = False) -> Job:
        """Start the job: durable records, then recovery, then writers."""
        job = self.begin(sink, writers=writers, lineage=lineage, rewound=rewound)
        job.recover()
        return job

    def begin(self, sink: KafkaSinkSpec, *, writers: int = 1, lineage: int | None = None, rewound: bool = False) -> Job:
        """The durable part of a start, and a committer that has not recovered yet."""
        self.starts += 1
        self.most_writers = max(self.most_writers, writers)
        newest = self.checkpoint.lineage if lineage is None else self.lineage(lineage)
        return Job(self, sink, writers, newest, rewound)

    def mark_claimed(self) -> None:
        self.claimed = True


class Job:
    """One start."""

    def __init__(self, store: Store, sink: KafkaSinkSpec, writers: int, lineage: str, rewound: bool) -> None:
        self.store = store
        self.lineage = lineage
        self.start = store.starts
        self.at_once = False
        self._sink = sink
        self._parallelism = writers
        self._restored = store.checkpoint
        self._number = 0
        context = CommitterContext(
            sink_uid=UID,
            sink_name="Sink",
            parallelism=writers,
            max_started_parallelism=store.most_writers,
            job_id="job",
            store=store.uuid,
            start=self.start,
            first_start_of_store=not store.claimed,
            lineage=lineage,
            rewound=rewound,
            read_start=lambda: store.starts,
            mark_claimed=store.mark_claimed,
            job_directory=store.path,
            configuration=Configuration(),
            stopping=lambda: self.at_once,
        )
        committer = sink.create_committer(context)
        assert committer is not None
        self.committer: Committer = committer
        self.writers: list[SinkWriter] = []

    def recover(self) -> None:
        """Settle with earlier starts, then create the writers."""
        self.committer.recover(list(self._restored.pending), self._restored.committer)
        self.writers = [
            self._sink.create_writer(self._writer_context(subtask), self._restored.writers)
            for subtask in range(self._parallelism)
        ]

    def _writer_context(self, subtask: int) -> SinkContext:
        return SinkContext(
            operator_uid=UID,
            operator_name="Sink",
            subtask=subtask,
            parallelism=self._parallelism,
            lineage=self.lineage,
            attempt=0,
            job_directory=self.store.path,
            configuration=Configuration(),
            clock=SystemClock(),
            fail=_raise,
        )

    def write(self, *values: str, subtask: int = 0, timestamp: int | None = None) -> None:
        for value in values:
            self.writers[subtask].write(value, int(time.time() * 1000) if timestamp is None else timestamp)

    def decide(self) -> Checkpoint:
        """Take a checkpoint and make it the store's newest; nothing of it is published yet."""
        self._number += 1
        committables = [item for writer in self.writers for item in writer.prepare_commit(self._number)]
        states = [writer.snapshot() for writer in self.writers]
        self.store.checkpoint = Checkpoint(self.lineage, committables, self.committer.snapshot(), states)
        return self.store.checkpoint

    def publish(self) -> None:
        """Publish what the newest checkpoint decided; the next checkpoint will say that it is confirmed."""
        self.committer.commit(self.store.checkpoint.pending)

    def confirm(self) -> None:
        """Take another checkpoint, without records, which lists everything published as confirmed."""
        self.store.checkpoint = replace(self.store.checkpoint, pending=(), committer=self.committer.snapshot())

    def checkpoint(self, *values: str, subtask: int = 0) -> None:
        """Write, decide, publish and confirm."""
        self.write(*values, subtask=subtask)
        self.decide()
        self.publish()
        self.confirm()

    def close(self) -> None:
        self.at_once = True
        for writer in self.writers:
            writer.close()
        self.committer.close()


def _raise(error: BaseException) -> None:
    raise error


def end_offsets(
    servers: str, topic: str, partitions: Iterable[int] = (0,), isolation: str = "read_committed"
) -> list[int]:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "isolation.level": isolation})
    try:
        return [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=60)[1] for p in partitions]
    finally:
        consumer.close()


def await_markers(servers: str, topic: str, partitions: Sequence[int] = (0,)) -> None:
    """Wait until no transaction is open: Kafka acknowledges a transaction's end before its markers are in the log."""
    deadline = time.monotonic() + 30
    while end_offsets(servers, topic, partitions) < end_offsets(servers, topic, partitions, "read_uncommitted"):
        assert time.monotonic() < deadline, f"a transaction on {topic} stays open"
        time.sleep(0.05)


def committed(servers: str, topic: str, partitions: Sequence[int] = (0,)) -> list[str]:
    """The values of ``committed_messages``."""
    values = [message.value() for message in committed_messages(servers, topic, partitions)]
    assert None not in values
    return [value.decode() for value in values if value is not None]


def committed_messages(servers: str, topic: str, partitions: Sequence[int] = (0,)) -> list[Message]:
    """All records that a read_committed reader sees, by partition and offset.

    An open transaction is waited for a little: it may be one that is committed, and its marker still on its way.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "isolation.level": "read_committed",
        }
    )
    found: list[Message] = []
    try:
        for partition in partitions:
            place = TopicPartition(topic, partition, 0)
            consumer.assign([place])
            deadline = time.monotonic() + 60
            end, patience, at_end = 0, 0.0, False
            while not at_end or time.monotonic() < patience:
                assert time.monotonic() < deadline, f"no end of {topic}-{partition}"
                message = consumer.poll(0.1)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    if not at_end:
                        end = consumer.get_watermark_offsets(place, cached=True)[1]  # of open transactions, too
                        patience, at_end = time.monotonic() + _MARKER_SECONDS, True
                    if (message.offset() or 0) >= end:
                        break
    finally:
        consumer.close()
    return found


def open_transaction(servers: str, transactional_id: str, topic: str, value: str, timeout_ms: int = 60_000) -> Producer:
    """A producer that has written one record to partition 0 of a topic and not said how its transaction ends."""
    producer = Producer(
        {"bootstrap.servers": servers, "transactional.id": transactional_id, "transaction.timeout.ms": timeout_ms}
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(topic, value, "key", partition=0)
    assert producer.flush(60) == 0
    return producer

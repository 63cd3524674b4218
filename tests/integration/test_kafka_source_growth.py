"""Topics that grow, and topics that are born, while a job is busy reading: nothing is missed, and nothing is late."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.integration.job_process import NO_RESTART, Workplace
from tests.integration.kafka_store import committed
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker

#: `pytest -m exhaustive` and this file; ten seconds of a machine that has nothing else to do.
pytestmark = [pytest.mark.integration, pytest.mark.exhaustive]

#: A record is a millisecond of event time, whatever the clock says: five times as fast as the clock.
RATE = 5000
STEP_RECORDS = 500
STEPS = 40

#: Each record costs a fixed time, so that the job is busy for half of it at RATE on two subtasks.
JOB = """
import time
from pyflink.common import Duration, SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer, KafkaRecordSerializationSchema, KafkaSink, KafkaSource,
)
from pyflink.datastream.window import TumblingEventTimeWindows

def busy(value):
    until = time.perf_counter() + 0.5 / RATE
    while time.perf_counter() < until:
        pass
    return value, 1

late = OutputTag("late")
counted = Types.TUPLE([Types.STRING(), Types.INT()])
source = (
    KafkaSource.builder()
    .set_bootstrap_servers("BOOTSTRAP")
    .set_topic_pattern("PREFIX-.*")
    .set_starting_offsets(KafkaOffsetsInitializer.earliest())
    .set_property("partition.discovery.interval.ms", "200")
    .set_value_only_deserializer(SimpleStringSchema())
    .build()
)
sink = (
    KafkaSink.builder()
    .set_bootstrap_servers("BOOTSTRAP")
    .set_record_serializer(
        KafkaRecordSerializationSchema.builder()
        .set_topic("OUTPUT")
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    .set_transactional_id_prefix("OUTPUT")
    .build()
)
env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(200)
windows = (
    env.from_source(source, WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(10)), "growing")
    .map(busy, output_type=counted)
    .key_by(lambda pair: pair[0], key_type=Types.STRING())
    .window(TumblingEventTimeWindows.of(Time.milliseconds(500)))
    .side_output_late_data(late)
    .reduce(lambda one, other: (one[0], one[1] + other[1]))
)
lines = windows.map(lambda pair: f"{pair[0]} {pair[1]}", output_type=Types.STRING())
lines.union(
    windows.get_side_output(late).map(lambda pair: f"late {pair[1]}", output_type=Types.STRING())
).sink_to(sink)
env.execute()
"""


def test_partitions_and_topics_that_appear_under_load_are_read_whole_and_in_time(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    prefix, output = topic("growing-prefix"), topic("counts")
    grown = topic(f"{prefix}-grown", partitions=2)
    partitions = [(grown, number) for number in range(2)]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    produced: Counter[str] = Counter()
    place = Workplace(tmp_path)
    code = JOB.replace("BOOTSTRAP", kafka.bootstrap_servers).replace("PREFIX", prefix).replace("OUTPUT", output)
    place.script(code.replace("RATE", str(RATE)))

    def write(begin: int, count: int, into: Sequence[tuple[str, int]]) -> None:
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 1})
        for index in range(begin, begin + count):
            name, number = into[index % len(into)]
            producer.produce(name, f"{name}-{number}", partition=number, timestamp=1_700_000_000_000 + index)
            produced[f"{name}-{number}"] += 1
        assert producer.flush(20) == 0

    def counts() -> Counter[str]:
        found: Counter[str] = Counter()
        for line in committed(kafka.bootstrap_servers, output):
            key, count = line.rsplit(" ", 1)
            found[key] += int(count)
        return found

    with place.start("-p", 2, *NO_RESTART, "job.py") as running:
        began = time.monotonic()
        for step in range(STEPS):
            if step == STEPS // 4:
                for future in admin.create_partitions([NewPartitions(grown, 10)]).values():
                    future.result()
                partitions += [(grown, number) for number in range(2, 10)]
            if step == STEPS // 2:
                partitions += [(topic(f"{prefix}-born", partitions=1), 0) for _ in range(2)]
            write(step * STEP_RECORDS, STEP_RECORDS, partitions)
            time.sleep(max(0.0, began + (step + 1) * STEP_RECORDS / RATE - time.monotonic()))
        expected = Counter(produced)
        # A last record far ahead in each partition closes all windows; its own window stays open.
        write(10_000_000, 2 * len(partitions), partitions)
        running.wait_until(lambda: sum(counts().values()) >= sum(expected.values()))
        assert counts() == expected
    assert len(expected) == 12

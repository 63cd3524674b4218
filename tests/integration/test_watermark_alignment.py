"""Watermark alignment on a real broker: partitions of one source in two worker processes."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.job_process import Workplace
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker

#: Event time that both partitions cover, in milliseconds, and what lies between two records.
END = 400_000
STEPS = {"slow": 25, "fast": 100}
DRIFT = 1000

#: Prints each record when it comes; the clock is the same for all processes of a machine.
JOB = """
import os
import time
from pyflink.common import Duration, SimpleStringSchema, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource

source = (
    KafkaSource.builder()
    .set_bootstrap_servers("BOOTSTRAP")
    .set_topics("TOPIC")
    .set_starting_offsets(KafkaOffsetsInitializer.earliest())
    .set_bounded(KafkaOffsetsInitializer.latest())
    .set_value_only_deserializer(SimpleStringSchema())
    .build()
)

begun = set()

def seen(value):
    which = value.split()[0]
    if which not in begun:  # neither runs on before the other one's process has come so far
        begun.add(which)
        open(which, "w").close()
        while not (os.path.exists("slow") and os.path.exists("fast")):
            time.sleep(0.001)
    time.sleep(0.0005)
    return f"{time.monotonic_ns()} {value}"

env = StreamExecutionEnvironment.get_execution_environment()
env.get_config().set_auto_watermark_interval(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_watermark_alignment(
    "group", Duration.of_millis(DRIFT), Duration.of_millis(1)
)
env.from_source(source, strategy, "both").map(seen).print()
env.execute()
"""


def fill(kafka: LocalBroker, topic: str) -> Counter[str]:
    """Write the slow partition and the fast one; return all values."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    values: Counter[str] = Counter()
    for partition, (name, step) in enumerate(STEPS.items()):
        for time in range(0, END, step):
            producer.produce(topic, f"{name} {time}", partition=partition, timestamp=1_700_000_000_000 + time)
            producer.poll(0)
            values[f"{name} {time}"] += 1
    producer.flush()
    return values


@pytest.mark.integration
def test_a_partition_that_is_ahead_waits_for_the_other(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    name = topic("aligned", partitions=2)
    values = fill(kafka, name)
    place = Workplace(tmp_path)
    text = JOB.replace("BOOTSTRAP", kafka.bootstrap_servers).replace("TOPIC", name).replace("DRIFT", str(DRIFT))
    place.script(text)
    ended = place.run("-p", 2, "--workers", 2, "job.py")
    assert ended.code == 0, ended.err
    seen = sorted(
        (int(at), which, int(time)) for at, which, time in re.findall(r"(\d{6,}) (slow|fast) (\d+)$", ended.out, re.M)
    )
    assert Counter(f"{which} {time}" for _, which, time in seen) == values
    newest, ahead = {"slow": 0, "fast": 0}, 0
    for _, which, time in seen:
        newest[which] = time
        if END / 2 < newest["slow"] < END - STEPS["slow"]:
            ahead = max(ahead, newest["fast"] - newest["slow"])
    # Beyond the drift is only the batch that went there: 512 records.
    assert ahead <= DRIFT + 512 * STEPS["fast"]

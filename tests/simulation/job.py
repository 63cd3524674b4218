"""The job of every seed: counts and sums per key, and again when timers of event time fire; two exactly-once sinks.

In: ``key,seq,amount`` with a timestamp of its own, for each key seq 1, 2, 3, …
Out: ``key,seq,count,sum``, to one topic at once, to the other when the record's timer fires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from wiesel.common import Row, SimpleStringSchema, Types, WatermarkStrategy
from wiesel.common.serialization import RowFieldExtractorSchema
from wiesel.core.configuration import Configuration
from wiesel.datastream import KeyedProcessFunction, OutputTag, RuntimeContext, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from wiesel.datastream.state import MapStateDescriptor, ValueStateDescriptor
from wiesel.graph.job_graph import JobGraph, build_job_graph

KEY_AND_VALUE: Final = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(Types.BYTE())])
FIRED: Final = OutputTag("fired", KEY_AND_VALUE)
INPUT: Final = "input"
OUTPUTS: Final = ("at-once", "by-timer")
#: A record that only moves event time on.
END: Final = "end"
_TIMER_MS: Final = 20


def no_failure() -> None:
    """The user's function works."""


#: Called for every element; the simulation lets the user's function fail here.
before_element: Callable[[], None] = no_failure


class CountAndSum(KeyedProcessFunction):
    """Counts in keyed state twice: when a record comes, and when its timer fires."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.LONG()))
        self.fired = runtime_context.get_state(ValueStateDescriptor("fired", Types.INT()))
        self.fired_sum = runtime_context.get_state(ValueStateDescriptor("fired-sum", Types.LONG()))
        self.due = runtime_context.get_map_state(MapStateDescriptor("due", Types.LONG(), Types.STRING()))

    def process_element(self, value: str, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        before_element()
        key, seq, amount = value.split(",")
        if key == END:
            return
        count, total = (self.count.value() or 0) + 1, (self.sum.value() or 0) + int(amount)
        self.count.update(count)
        self.sum.update(total)
        due = ctx.timestamp() + _TIMER_MS
        self.due.put(due, f"{seq},{amount}")
        ctx.timer_service().register_event_time_timer(due)
        yield Row(key.encode(), f"{key},{seq},{count},{total}".encode())

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Any]:
        seq, amount = (self.due.get(timestamp) or "").split(",")
        self.due.remove(timestamp)
        count, total = (self.fired.value() or 0) + 1, (self.fired_sum.value() or 0) + int(amount)
        self.fired.update(count)
        self.fired_sum.update(total)
        key = ctx.get_current_key()
        yield FIRED, Row(key.encode(), f"{key},{seq},{count},{total}".encode())


@dataclass(frozen=True, slots=True)
class JobShape:
    """What a seed chooses about the job.

    Args:
        bootstrap_servers: of the seed's cluster.
        prefixes: transactional id prefix of each sink; they may share one.
        transaction_timeout_ms: of the sinks.
    """

    bootstrap_servers: str
    prefixes: tuple[str, str]
    transaction_timeout_ms: int


def build(shape: JobShape, parallelism: int) -> JobGraph:
    """Return the job."""
    env = StreamExecutionEnvironment(Configuration())
    env.set_parallelism(parallelism)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(shape.bootstrap_servers)
        .set_topics(INPUT)
        .set_group_id("simulation")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    counted = (
        env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "input")
        .uid("input")
        .key_by(lambda value: value.split(",", 1)[0], key_type=Types.STRING())
        .process(CountAndSum(), output_type=KEY_AND_VALUE)
        .uid("counters")
    )
    streams = (counted, counted.get_side_output(FIRED))
    for stream, topic, prefix in zip(streams, OUTPUTS, shape.prefixes, strict=True):
        stream.sink_to(_sink(shape, topic, prefix)).uid(topic)
    return build_job_graph(env._stream_graph("simulation"))


def _sink(shape: JobShape, topic: str, prefix: str) -> Any:
    return (
        KafkaSink.builder()
        .set_bootstrap_servers(shape.bootstrap_servers)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic)
            .set_key_serialization_schema(RowFieldExtractorSchema(0))
            .set_value_serialization_schema(RowFieldExtractorSchema(1))
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(prefix)
        .set_property("transaction.timeout.ms", str(shape.transaction_timeout_ms))
        .build()
    )

"""Delays at New York's airports, from a stream of departures, exactly once.

    wiesel run examples/flights.py --bounded

`make demo` streams the 328,521 flights that left New York in 2013 past this job, kills it half-way and resumes it.

In: one JSON object per departure, in the order in which they left, under the key airport-carrier:
    {"airport": "JFK", "carrier": "B6", "flight": 725, "to": "BQN", "scheduled": "2013-01-01T10:45:00Z", "delay": -1}
The record's timestamp, and so its event time, is the *scheduled* departure: a flight that leaves 21 hours late is 21
hours out of order.

Out, as JSON under the key of the airport or of airport-carrier:
    delays      per airport and hour of scheduled departure: flights, how many were late, minutes of delay, the longest
    alerts      a carrier at an airport whose departures are late several times in a row, and when that is over
    very late   each flight that left hours late
    too late    departures that came after their hour was closed; none, see below

**The result does not depend on how fast the stream is read**, or on where it is interrupted:
- Watermarks stay a day behind the newest departure *of each partition* and no flight is a day late, so an hour is never
  closed before its last departure came, whichever partition is read faster. "Too late" proves it: it stays empty.
- Alerts depend on the order of departures of one carrier at one airport. They have one key, so they lie in one
  partition, in order, and Flink keeps the order of a partition's records for each key.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pyflink.common import Duration, Row, SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import (
    AggregateFunction,
    DataStream,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
    KafkaTopicPartition,
)
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import TimeWindow, TumblingEventTimeWindows

Flight = dict[str, Any]

LATE_IN_STATISTICS = 15  # minutes: what aviation calls late
KEY_AND_VALUE = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(Types.BYTE())])
VERY_LATE = OutputTag("very-late")
TOO_LATE = OutputTag("too-late")


def record(key: str, value: Flight) -> Row:
    return Row(key.encode(), json.dumps(value).encode())


def airport_and_carrier(flight: Flight) -> str:
    return f"{flight['airport']}-{flight['carrier']}"


def flight_record(flight: Flight) -> Row:
    return record(airport_and_carrier(flight), flight)


class Departures(ProcessFunction):
    """Parse departures; the very late ones are also sent aside."""

    def __init__(self, very_late_minutes: int) -> None:
        self.very_late_minutes = very_late_minutes

    def process_element(self, value: str, ctx: ProcessFunction.Context) -> Iterator[Any]:
        flight = json.loads(value)
        if flight["delay"] > self.very_late_minutes:
            yield VERY_LATE, flight
        yield flight


Sums = tuple[int, int, int, int]


class Delays(AggregateFunction):
    """Flights, late flights, minutes of delay (an early departure counts below zero), longest delay."""

    def create_accumulator(self) -> Sums:
        return 0, 0, 0, 0

    def add(self, value: Flight, accumulator: Sums) -> Sums:
        delay = value["delay"]
        return self.merge(accumulator, (1, int(delay >= LATE_IN_STATISTICS), delay, max(delay, 0)))

    def get_result(self, accumulator: Sums) -> Sums:
        return accumulator

    def merge(self, acc_a: Sums, acc_b: Sums) -> Sums:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1], acc_a[2] + acc_b[2], max(acc_a[3], acc_b[3])


class HourOfAirport(ProcessWindowFunction[Sums, Row, str, TimeWindow]):
    """Name the airport and the hour of a window's sums."""

    def process(self, key: str, context: ProcessWindowFunction.Context, elements: Iterable[Sums]) -> Iterator[Row]:
        hour = datetime.fromtimestamp(context.window().start / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for flights, late, minutes, longest in elements:
            sums = {"flights": flights, "late": late, "minutes": minutes, "longest": longest}
            yield record(key, {"airport": key, "hour": hour, **sums})


class LateInARow(KeyedProcessFunction):
    """Tell when a carrier at an airport has been late `alert_after` times in a row, and when that ends."""

    def __init__(self, late_minutes: int, alert_after: int) -> None:
        self.late_minutes = late_minutes
        self.alert_after = alert_after

    def open(self, runtime_context: RuntimeContext) -> None:
        self.late_in_a_row = runtime_context.get_state(ValueStateDescriptor("late-in-a-row", Types.INT()))

    def process_element(self, value: Flight, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        late_in_a_row = self.late_in_a_row.value() or 0
        if value["delay"] > self.late_minutes:
            late_in_a_row += 1
            self.late_in_a_row.update(late_in_a_row)
            if late_in_a_row == self.alert_after:
                yield flight_record({"alert": "delayed", "late_in_a_row": late_in_a_row, **value})
        elif late_in_a_row:
            self.late_in_a_row.clear()
            if late_in_a_row >= self.alert_after:
                yield flight_record({"alert": "recovered", "late_in_a_row": late_in_a_row, **value})


def departures(env: StreamExecutionEnvironment, args: argparse.Namespace) -> DataStream:
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id(args.group)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .set_properties(args.property)
    )
    if args.until:
        ends = {KafkaTopicPartition(args.input, partition): offset for partition, offset in enumerate(args.until)}
        source.set_bounded(KafkaOffsetsInitializer.offsets(ends))
    elif args.bounded:
        source.set_bounded(KafkaOffsetsInitializer.latest())
    a_day_behind = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_hours(24))
    return env.from_source(source.build(), a_day_behind, "departures").process(Departures(args.very_late_minutes))


def write(stream: DataStream, topic: str, args: argparse.Namespace) -> None:
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic)
            .set_key_serialization_schema(RowFieldExtractorSchema(0))
            .set_value_serialization_schema(RowFieldExtractorSchema(1))
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(topic)
        # Flink's default of an hour is more than brokers allow by default (15 minutes).
        .set_property("transaction.timeout.ms", "600000")
    )
    for key, value in args.property.items():
        sink.set_property(key, value)
    stream.sink_to(sink.build()).name(topic).uid(topic)


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(args.checkpoint_interval)

    flights = departures(env, args)
    delays = (
        flights.key_by(lambda flight: flight["airport"], key_type=Types.STRING())
        .window(TumblingEventTimeWindows.of(Time.hours(1)))
        .side_output_late_data(TOO_LATE)
        .aggregate(Delays(), HourOfAirport(), output_type=KEY_AND_VALUE)
    )
    alerts = flights.key_by(airport_and_carrier, key_type=Types.STRING()).process(
        LateInARow(args.late_minutes, args.alert_after), output_type=KEY_AND_VALUE
    )

    write(delays, args.delays, args)
    write(alerts, args.alerts, args)
    write(flights.get_side_output(VERY_LATE).map(flight_record, output_type=KEY_AND_VALUE), args.very_late, args)
    write(delays.get_side_output(TOO_LATE).map(flight_record, output_type=KEY_AND_VALUE), args.too_late, args)
    env.execute("Flights")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="flights")
    options.add_argument("--group", default="flights", help="consumer group that shows how far the job is")
    options.add_argument("--bounded", action="store_true", help="stop at the topic's present end")
    options.add_argument(
        "--until", type=int, nargs="+", metavar="OFFSET", help="stop at these ends of partition 0, 1, …"
    )
    options.add_argument("--delays", default="flight-delays", help="topic")
    options.add_argument("--alerts", default="flight-alerts", help="topic")
    options.add_argument("--very-late", default="flights-very-late", help="topic")
    options.add_argument("--too-late", default="flights-too-late", help="topic")
    options.add_argument("--late-minutes", type=int, default=60)
    options.add_argument("--alert-after", type=int, default=3, metavar="DEPARTURES")
    options.add_argument("--very-late-minutes", type=int, default=180)
    options.add_argument("--checkpoint-interval", type=int, default=1000, metavar="MS")
    options.add_argument(
        "--property", action="append", default=[], metavar="KEY=VALUE", help="of the Kafka clients, for a login say"
    )
    arguments = options.parse_args()
    arguments.property = dict(text.split("=", 1) for text in arguments.property)
    main(arguments)

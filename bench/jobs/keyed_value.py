"""W3: a count of each key in a ValueState, over few and many keys, evenly or by Zipf's law, with or without TTL."""

import argparse
from collections.abc import Callable, Iterator

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import StateTtlConfig, ValueStateDescriptor


def key_function(keys: int, zipf: bool) -> Callable[[int], int]:
    """Scatters numbers over the keys, evenly or by Zipf's law with exponent 1.1."""
    if not zipf:
        return lambda number: number * 2_654_435_761 % keys
    power = -0.1
    scale = keys**power - 1
    return lambda number: int((1 + (number * 2_654_435_761 % 4_294_967_296) / 4_294_967_296 * scale) ** (1 / power)) - 1


class Count(KeyedProcessFunction):
    def __init__(self, every: int, ttl_seconds: float | None) -> None:
        self.every = every
        self.ttl_seconds = ttl_seconds

    def open(self, runtime_context: RuntimeContext) -> None:
        descriptor = ValueStateDescriptor("count", Types.LONG())
        if self.ttl_seconds is not None:
            ttl = StateTtlConfig.new_builder(Time.milliseconds(int(self.ttl_seconds * 1000))).build()
            descriptor.enable_time_to_live(ttl)
        self.count = runtime_context.get_state(descriptor)

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        if value % self.every == 0:
            yield f"{value} {count}"


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, args.count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        .key_by(key_function(args.keys, args.zipf), key_type=Types.LONG())
        .process(Count(args.every, args.ttl), Types.STRING())
        .print()
    )
    env.execute("keyed value")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--keys", type=int, required=True)
    options.add_argument("--zipf", action="store_true")
    options.add_argument("--ttl", type=float, help="seconds that a count lives behind its last change; forever without")
    options.add_argument("--every", type=int, default=1000, help="print what this divides")
    main(options.parse_args())

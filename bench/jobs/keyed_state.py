"""G1: numbers, keyed by their remainder; a KeyedProcessFunction counts each key in a ValueState."""

import argparse
from collections.abc import Iterator

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Iterator[tuple[int, int]]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield ctx.get_current_key(), count


def main(count: int, keys: int, every: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        .key_by(lambda number: number % keys, key_type=Types.LONG())
        .process(Count())
        .filter(lambda key_and_count: key_and_count[1] % every == 0)
        .print()
    )
    env.execute("keyed state")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--keys", type=int, default=20_000)
    options.add_argument("--every", type=int, default=50, help="print a key's every n-th count")
    args = options.parse_args()
    main(args.count, args.keys, args.every)

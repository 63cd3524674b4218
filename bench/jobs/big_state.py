"""State larger than memory: numbers scattered over keys, each with a value of about a hundred bytes."""

import argparse
import random
from collections.abc import Iterator

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor


class Remember(KeyedProcessFunction):
    def __init__(self, last: int, size: int) -> None:
        self.last, self.size = last, size

    def open(self, runtime_context: RuntimeContext) -> None:
        self.noise = random.Random(1).randbytes(1 << 24)  # nothing that a database could compress
        self.value = runtime_context.get_state(ValueStateDescriptor("value", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        count, _ = self.value.value() or (0, b"")
        start = value * 7919 % (len(self.noise) - self.size)
        self.value.update((count + 1, self.noise[start : start + self.size]))
        if value == self.last or value % 100_000 == 0:
            yield f"{value} {count + 1}"


def main(count: int, keys: int, size: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        .key_by(lambda number: number * 2_654_435_761 % keys, key_type=Types.LONG())
        .process(Remember(count - 1, size), Types.STRING())
        .print()
    )
    env.execute("big state")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--keys", type=int, required=True)
    options.add_argument("--size", type=int, default=100)
    args = options.parse_args()
    main(args.count, args.keys, args.size)

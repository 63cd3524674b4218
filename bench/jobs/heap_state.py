"""G14: how much memory a number of integer keys with integer values takes; prints bytes per key."""

import argparse
import gc
from collections.abc import Iterator
from pathlib import Path

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Fill(KeyedProcessFunction):
    def __init__(self, keys: int) -> None:
        self.keys = keys

    def open(self, runtime_context: RuntimeContext) -> None:
        self.value = runtime_context.get_state(ValueStateDescriptor("value", Types.LONG()))

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        self.value.update(value + 1_000_000_000)
        if value == 10_000:  # everything that runs has run
            self.before = resident_bytes()
        if value == self.keys - 1:
            yield f"{(resident_bytes() - self.before) / (self.keys - 10_001):.1f}"


def main(keys: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    numbers = env.from_source(NumberSequenceSource(0, keys - 1), WatermarkStrategy.no_watermarks(), "numbers")
    numbers.key_by(lambda number: number, key_type=Types.LONG()).process(Fill(keys), Types.STRING()).print()
    env.execute("heap state")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keys", type=int, default=1_000_000)
    main(options.parse_args().keys)

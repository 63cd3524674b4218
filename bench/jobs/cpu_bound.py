"""G13: a function that only computes, about 20 µs a record."""

import argparse

from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


def work(number: int) -> int:
    for _ in range(400):
        number = number * 1_103_515_245 + 12_345 & 0x7FFFFFFF
    return number


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = NumberSequenceSource(0, args.count - 1)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    numbers.map(work).filter(lambda number: number % args.every == 0).print()
    env.execute("computing")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--every", type=int, default=1000, help="print what this divides")
    main(options.parse_args())

"""G2: numbers through a map and a filter, both lambdas."""

import argparse

from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


def main(count: int, every: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        .map(lambda number: number * 3 + 1)
        .filter(lambda number: number % every == 0)
        .print()
    )
    env.execute("map")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--every", type=int, default=1000, help="print what this divides")
    args = options.parse_args()
    main(args.count, args.every)

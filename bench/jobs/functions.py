"""W9: Python functions alone, over a number sequence; what leaves is one number in a thousand."""

import argparse
import json
from collections.abc import Iterator

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


class Pass(KeyedProcessFunction):
    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Iterator[int]:
        yield value


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = NumberSequenceSource(0, args.count - 1)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    if args.function == "json":
        done = numbers.map(lambda number: f'{{"n": {number}}}').map(json.loads).map(lambda event: event["n"])
    elif args.function == "flat_map":
        done = numbers.flat_map(lambda number: (number, -number))
    else:
        done = numbers.key_by(lambda number: number % 100, key_type=Types.LONG()).process(Pass())
    done.filter(lambda number: number % 1000 == 0).print()
    env.execute("functions")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--function", choices=("json", "flat_map", "process"), required=True)
    main(options.parse_args())

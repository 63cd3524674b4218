"""Print the numbers from 0 to 99,999 as strings. Needs no Kafka.

    wiesel run examples/number_sequence.py

--count N prints the first N.
"""

import argparse

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, args.count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        .map(str, output_type=Types.STRING())
        .print()
    )
    env.execute("Numbers")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=100_000)
    main(options.parse_args())

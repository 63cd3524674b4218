"""Count numbers in windows of event time: each number is its own time in milliseconds. Needs no Kafka.

    wiesel run examples/number_windows.py

--count N takes the first N.
"""

import argparse
from collections.abc import Iterable, Iterator

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.functions import ProcessAllWindowFunction
from pyflink.datastream.window import TimeWindow, TumblingEventTimeWindows


class NumberIsTime(TimestampAssigner):
    def extract_timestamp(self, value: int, record_timestamp: int) -> int:
        return value


class Describe(ProcessAllWindowFunction[int, str, TimeWindow]):
    def process(self, context: ProcessAllWindowFunction.Context, elements: Iterable[int]) -> Iterator[str]:
        numbers = list(elements)
        window = context.window()
        yield f"[{window.start}, {window.end}) {len(numbers)} numbers, {min(numbers)} to {max(numbers)}"


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    (
        env.from_source(NumberSequenceSource(0, args.count - 1), WatermarkStrategy.no_watermarks(), "numbers")
        # On the stream, not in from_source: there PyFlink ignores a timestamp assigner written in Python.
        .assign_timestamps_and_watermarks(
            WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(NumberIsTime())
        )
        .window_all(TumblingEventTimeWindows.of(Time.seconds(1)))
        .process(Describe(), output_type=Types.STRING())
        .print()
    )
    env.execute("Numbers in windows")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=100_000)
    main(options.parse_args())

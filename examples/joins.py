"""Clicks and orders of users: joined in windows, outer joined, and joined within an interval.

    wiesel run examples/joins.py

PyFlink has no joins of streams; their names are Java's (docs/windows-and-joins.md).
"""

import argparse

from wiesel.common import Duration, Time, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.functions import ProcessJoinFunction
from wiesel.datastream.window import TumblingEventTimeWindows

MINUTE = 60_000
# user, what, minute
CLICKS = [("ann", "shoes", 1), ("bob", "hats", 2), ("ann", "belts", 4), ("ann", "socks", 7)]
ORDERS = [("ann", "order 1", 3), ("bob", "order 2", 8), ("cid", "order 3", 9)]


class ByMinute(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[2] * MINUTE


class SoonAfter(ProcessJoinFunction):
    def process_element(self, left, right, ctx):
        minutes = (ctx.get_right_timestamp() - ctx.get_left_timestamp()) // MINUTE
        yield f"{left[0]} saw {left[1]}, {right[1]} came {minutes} min later"


def left_outer(clicks, orders):
    for click in clicks:
        for order in orders or [None]:
            yield f"{click[0]} saw {click[1]}: {order[1] if order else 'no order'}"


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_minutes(5))
    strategy = strategy.with_timestamp_assigner(ByMinute())
    clicks = env.from_collection(CLICKS).assign_timestamps_and_watermarks(strategy)
    orders = env.from_collection(ORDERS).assign_timestamps_and_watermarks(strategy)
    five_minutes = TumblingEventTimeWindows.of(Time.minutes(5))

    joined = clicks.join(orders).where(user).equal_to(user).window(five_minutes)
    joined.apply(lambda click, order: f"{click[0]} saw {click[1]} and gave {order[1]}").print("window")

    grouped = clicks.co_group(orders).where(user).equal_to(user).window(five_minutes)
    grouped.apply(left_outer).print("outer")

    near = clicks.key_by(user).interval_join(orders.key_by(user)).between(Time.minutes(0), Time.minutes(3))
    near.process(SoonAfter()).print("interval")
    env.execute("joins")


def user(row):
    return row[0]


if __name__ == "__main__":
    main()

"""W6 by hand: views and clicks of each ad in sorted lists that only grow; no watermarks."""

import argparse
import json
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition


def main(args: argparse.Namespace) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": args.bootstrap,
            "group.id": "by-hand",
            "enable.auto.commit": False,
            "queued.min.messages": 1_000_000,
            "fetch.queue.backoff.ms": 10,
        }
    )
    partitions = consumer.list_topics(args.input, timeout=10).topics[args.input].partitions
    ends = [consumer.get_watermark_offsets(TopicPartition(args.input, number), timeout=10)[1] for number in partitions]
    consumer.assign([TopicPartition(args.input, number, OFFSET_BEGINNING) for number in partitions])
    producer = Producer({"bootstrap.servers": args.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 500_000})

    within = args.within * 1000
    views: defaultdict[str, list[int]] = defaultdict(list)
    clicks: defaultdict[str, list[int]] = defaultdict(list)

    def write(ad: str, viewed: int, clicked: int) -> None:
        value = json.dumps({"ad": ad, "viewed": viewed, "clicked": clicked})
        try:
            producer.produce(args.output, value)
        except BufferError:
            producer.poll(1)
            producer.produce(args.output, value)

    remaining = sum(ends)
    while remaining:
        messages = consumer.consume(10_000, timeout=0.1)
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
            event, time = json.loads(message.value()), message.timestamp()[1]
            ad = event["ad"]
            if event["type"] == "view":
                insort(views[ad], time)
                others = clicks[ad]
                for clicked in others[bisect_left(others, time) : bisect_right(others, time + within)]:
                    write(ad, time, clicked)
            elif event["type"] == "click":
                insort(clicks[ad], time)
                others = views[ad]
                for viewed in others[bisect_left(others, time - within) : bisect_right(others, time)]:
                    write(ad, viewed, time)
        producer.poll(0)
        remaining -= len(messages)
    if producer.flush(60):
        raise SystemExit("not everything was written")
    consumer.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="clicks")
    options.add_argument("--within", type=int, default=10)
    main(options.parse_args())

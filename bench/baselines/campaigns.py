"""W4, W5 by hand: counts by campaign and slice in one dict, windows put together at the end; no watermarks."""

import argparse
import json
from collections import Counter

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

    campaign_of = {f"ad-{ad}": ad // 10 for ad in range(args.campaigns * 10)}
    size, slide = args.size * 1000, (args.slide or args.size) * 1000
    slices: Counter[tuple[int, int]] = Counter()
    remaining = sum(ends)
    while remaining:
        messages = consumer.consume(10_000, timeout=0.1)
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
            event = json.loads(message.value())
            if event["type"] == "view":
                slices[campaign_of[event["ad"]], message.timestamp()[1] // slide * slide] += 1
        producer.poll(0)
        remaining -= len(messages)
    views: Counter[tuple[int, int]] = Counter()
    for (campaign, start), count in slices.items():
        for window in range(start - size + slide, start + slide, slide):
            views[campaign, window] += count
    for (campaign, start), count in views.items():
        producer.produce(args.output, json.dumps({"campaign": campaign, "start": start, "views": count}))
    if producer.flush(60):
        raise SystemExit("not everything was written")
    consumer.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="views")
    options.add_argument("--campaigns", type=int, default=100)
    options.add_argument("--size", type=int, default=10)
    options.add_argument("--slide", type=int, default=0)
    main(options.parse_args())

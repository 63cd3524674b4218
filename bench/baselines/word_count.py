"""W2 by hand: confluent-kafka, a dict and the standard library's json; batched reading, acknowledged writing."""

import argparse
import json

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

    counts: dict[str, int] = {}
    remaining = sum(ends)
    while remaining:
        messages = consumer.consume(10_000, timeout=0.1)
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
            word = json.loads(message.value())["word"]
            count = counts.get(word, 0) + 1
            counts[word] = count
            value = json.dumps({"word": word, "count": count})
            try:
                producer.produce(args.output, value)
            except BufferError:
                producer.poll(1)
                producer.produce(args.output, value)
        producer.poll(0)
        remaining -= len(messages)
    if producer.flush(60):
        raise SystemExit("not everything was written")
    consumer.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="counts")
    main(options.parse_args())

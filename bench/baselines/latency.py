"""G9 by hand: one message at a time; what the clients and the broker need by themselves."""

import argparse
import json
from collections import Counter

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition


def main(args: argparse.Namespace) -> None:
    consumer = Consumer({"bootstrap.servers": args.bootstrap, "group.id": "by-hand", "enable.auto.commit": False})
    partitions = consumer.list_topics(args.input, timeout=10).topics[args.input].partitions
    consumer.assign([TopicPartition(args.input, number, OFFSET_BEGINNING) for number in partitions])
    producer = Producer({"bootstrap.servers": args.bootstrap, "linger.ms": args.linger})
    counts: Counter[str] = Counter()
    while True:
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        event = json.loads(message.value())
        counts[event["word"]] += 1
        result = {"word": event["word"], "count": counts[event["word"]], "number": event["number"]}
        producer.produce(args.output, json.dumps(result))
        producer.poll(0)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("--linger", type=int, default=0, help="linger.ms of the producer")
    main(options.parse_args())

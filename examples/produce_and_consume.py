"""Send a hundred keyed messages to a topic and read them back: plain Kafka, no stream processing.

    wiesel kafka up
    python examples/produce_and_consume.py

The same from the shell: `wiesel kafka produce --help`, `wiesel kafka consume --help`.
"""

import argparse
import uuid

from confluent_kafka import Consumer, Message, Producer


def produce(bootstrap_servers: str, topic: str, count: int) -> None:
    failed: list[str] = []

    def delivered(error: object, message: Message) -> None:
        if error is not None:
            failed.append(f"{message.key()!r}: {error}")

    producer = Producer({"bootstrap.servers": bootstrap_servers, "acks": "all"})
    for number in range(count):
        producer.produce(topic, key=f"key-{number}", value=f"message-{number}", on_delivery=delivered)
        producer.poll(0)
    unsent = producer.flush(30)
    if unsent or failed:
        raise SystemExit(f"{unsent} messages not sent, {len(failed)} refused; is the broker up? {failed[:3]}")


def consume(bootstrap_servers: str, topic: str, count: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            # A group of its own for each run, so that each run reads the topic from its start.
            "group.id": f"produce-and-consume-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    try:
        received = 0
        while received < count:
            message = consumer.poll(30)
            if message is None:
                raise SystemExit(f"no message for 30 s after {received} of {count}")
            if message.error():
                raise SystemExit(f"the consumer failed: {message.error()}")
            received += 1
            key, value = message.key().decode(), message.value().decode()
            print(f"partition={message.partition()} offset={message.offset()} key={key} value={value}")
    finally:
        consumer.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--topic", default="test-topic")
    options.add_argument("--count", type=int, default=100)
    args = options.parse_args()

    produce(args.bootstrap, args.topic, args.count)
    consume(args.bootstrap, args.topic, args.count)

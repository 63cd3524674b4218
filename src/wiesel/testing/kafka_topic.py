"""One topic of a test's own: filled and read with few words."""

from __future__ import annotations

import time
from dataclasses import dataclass

from wiesel.core.errors import WieselError

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class KafkaTopic:
    """A topic, by its unique name.

    Args:
        name: as Kafka knows it.
        bootstrap_servers: of its broker.
    """

    name: str
    bootstrap_servers: str

    def produce(self, *values: str | bytes, key: str | bytes | None = None, timestamp: int | None = None) -> None:
        """Append values and wait until they are written; ``timestamp`` in milliseconds, None is now."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.bootstrap_servers})
        for value in values:
            if timestamp is None:
                producer.produce(self.name, value, key)
            else:
                producer.produce(self.name, value, key, timestamp=timestamp)
        if producer.flush(_SECONDS):
            raise WieselError(f"{self.name} took not all values within {_SECONDS:g} s; is the broker still there?")

    def read(self, count: int, seconds: float = _SECONDS) -> list[bytes | None]:
        """Return the first ``count`` committed values, in the order of each partition; waits for them.

        Raises:
            TimeoutError: there are fewer after ``seconds``.
        """
        values = self._read(count, seconds)
        if len(values) < count:
            raise TimeoutError(f"{self.name} has {len(values)} committed values after {seconds:g} s, not {count}.")
        return values

    def read_all(self) -> list[bytes | None]:
        """Return all values that are committed by now, in the order of each partition."""
        return self._read(None, _SECONDS)

    def _read(self, count: int | None, seconds: float) -> list[bytes | None]:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": "wiesel-test",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        try:
            partitions = consumer.list_topics(self.name, seconds).topics[self.name].partitions
            consumer.assign([TopicPartition(self.name, number, OFFSET_BEGINNING) for number in partitions])
            values: list[bytes | None] = []
            unfinished = len(partitions)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and (len(values) < count if count is not None else unfinished):
                message = consumer.poll(0.1)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    values.append(message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    unfinished -= 1
                else:
                    raise WieselError(f"{self.name} cannot be read: {error.str()}")
            return values
        finally:
            consumer.close()

"""The input: numbered records per key, fed while the job is killed, and what is expected to come out of them."""

from __future__ import annotations

import itertools
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Final

from confluent_kafka import Producer

KEYS: Final = [f"key-{number:02}" for number in range(24)]
_BATCH_SECONDS: Final = 0.01


def amount(key: str, seq: int) -> int:
    """What the record adds to its key's sum: no two histories of a key have the same sums."""
    return zlib.crc32(f"{key}/{seq}".encode()) % 100_000


def sums(key: str) -> Iterator[int]:
    """The running sum after record 1, 2, 3, …"""
    return itertools.accumulate(amount(key, seq) for seq in itertools.count(1))


class Feeder:
    """Writes records of all keys in turn, at an even rate, from a thread of its own.

    Args:
        bootstrap_servers: of the broker.
        topic: of the input.
        per_second: records.
    """

    def __init__(self, bootstrap_servers: str, topic: str, per_second: int) -> None:
        self._topic = topic
        self._per_second = per_second
        self._producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "linger.ms": 2, "log_level": 2}
        )
        self._seqs = dict.fromkeys(KEYS, 0)
        self._refused: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> dict[str, int]:
        """Write what is under way and return the number of records of each key."""
        self._stopping.set()
        self._thread.join()
        unsent = self._producer.flush(30)
        if unsent or self._refused:
            raise RuntimeError(f"{unsent} records of the input not sent, refused: {self._refused[:1]}")
        return dict(self._seqs)

    def feed(self, records_per_key: int) -> None:
        """Write so many records of each key at once; not while it runs by itself."""
        for key in KEYS:
            for _ in range(records_per_key):
                self._write(key)
        self._producer.flush(30)

    def fed(self) -> dict[str, int]:
        """How many records of each key were handed to the client so far."""
        return dict(self._seqs)

    def _feed(self) -> None:
        keys = itertools.cycle(KEYS)
        began, written = time.monotonic(), 0
        while not self._stopping.wait(_BATCH_SECONDS):
            due = int((time.monotonic() - began) * self._per_second)
            for key in itertools.islice(keys, max(0, due - written)):
                self._write(key)
            written = max(due, written)
            self._producer.poll(0)

    def _write(self, key: str) -> None:
        seq = self._seqs[key] = self._seqs[key] + 1
        value = f"{key},{seq},{amount(key, seq)}"
        self._producer.produce(self._topic, value, key, on_delivery=self._on_delivery)

    def _on_delivery(self, error: object, message: object) -> None:
        if error is not None:
            self._refused.append(str(error))

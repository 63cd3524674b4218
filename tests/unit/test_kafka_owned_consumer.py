"""Two threads take turns with one client: whatever it returns and when, closing ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.owned_consumer import OwnedConsumer


class Client:
    """Stands for the Kafka client: it has nothing for the task thread, and an answer for the listener."""

    def __init__(self, answer: Callable[[], list[Any]]) -> None:
        self._answer = answer
        self._task_thread = threading.current_thread()
        self.is_closed = False

    def consume(self, number: int, timeout: float) -> list[Any]:
        return [] if threading.current_thread() is self._task_thread else self._answer()

    def close(self) -> None:
        self.is_closed = True


def test_closing_ends_when_a_message_arrives_at_that_moment() -> None:
    def close() -> None:
        consumer.close()
        closed.set()

    closing, closed = threading.Thread(target=close, daemon=True), threading.Event()

    def answer() -> list[object]:
        closing.start()
        closing.join(0.2)  # by then it has rung and waits for this thread, and this thread has a message
        return [object()]

    client: Any = Client(answer)
    consumer = OwnedConsumer(client, ClientEvents("localhost:9092"), lambda: None, "listener")
    assert consumer.drain() == []  # from now on the listener waits
    assert closed.wait(60)
    assert client.is_closed


def test_what_was_ordered_last_is_done_before_the_client_is_closed() -> None:
    listening, may_end = threading.Event(), threading.Event()

    def answer() -> list[object]:
        listening.set()
        may_end.wait(60)
        return []

    client: Any = Client(answer)
    consumer = OwnedConsumer(client, ClientEvents("localhost:9092"), lambda: None, "listener")
    assert consumer.drain() == []
    assert listening.wait(60)
    done: list[bool] = []
    consumer.order(lambda ordered: done.append(client.is_closed))
    closing = threading.Thread(target=consumer.close)
    closing.start()
    while not consumer._closed.is_set():
        pass
    may_end.set()
    closing.join(60)
    assert done == [False]
    assert client.is_closed

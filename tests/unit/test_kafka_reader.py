"""The reader's two threads over one client: whatever the client returns and when, closing ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.decoding import ValueDecoder
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition
from wiesel.connectors.kafka.reader import KafkaSourceReader
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.serialization import SimpleStringSchema


class Client:
    """Stands for the Kafka client: it has nothing, until the listener asks."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer
        self.is_closed = False

    def incremental_assign(self, partitions: list[Any]) -> None: ...

    def consume(self, number: int, timeout: float) -> list[Any]:
        return []

    def poll(self, timeout: float) -> Any:
        return self._answer()

    def close(self) -> None:
        self.is_closed = True


def test_closing_ends_when_a_message_arrives_at_that_moment() -> None:
    def close() -> None:
        reader.close()
        closed.set()

    closing, closed = threading.Thread(target=close, daemon=True), threading.Event()

    def answer() -> object:
        closing.start()
        closing.join(0.2)  # it has rung and waits for this thread by then, and this thread has a message
        return object()

    client: Any = Client(answer)
    reader = KafkaSourceReader(
        lambda on_commit: client,
        ClientEvents("localhost:9092"),
        ValueDecoder(SimpleStringSchema()),
        SourceContext("source", "Source", 0, 1, Configuration(), wake=lambda: None),
        resets_offsets=None,
        commits_offsets=False,
    )
    reader.add_splits([PartitionPosition(Partition("topic", 0), 0, None).to_split()])
    assert reader.poll(10) is None  # from now on the listener waits
    assert closed.wait(10)
    assert client.is_closed

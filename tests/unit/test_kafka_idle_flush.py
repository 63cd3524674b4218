"""A producer's records need no company when the task is idle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from wiesel.connectors.kafka.idle_flush import IdleFlush


class Client:
    """Stands for the Kafka client, with ``unsent`` records; says when somebody waits in ``flush``."""

    def __init__(self, unsent: int, during_flush: Callable[[], object] = lambda: None) -> None:
        self._unsent = unsent
        self._during_flush = during_flush
        self.flushed = threading.Semaphore(0)

    def __len__(self) -> int:
        return self._unsent

    def flush(self, timeout: float) -> int:
        assert threading.current_thread() is not threading.main_thread(), "a step never waits"
        self._during_flush()
        self.flushed.release()
        return self._unsent


def test_what_is_unsent_is_flushed_by_another_thread() -> None:
    client: Any = Client(unsent=1)
    idle = IdleFlush(client, "idle")
    idle.ask()
    assert client.flushed.acquire(timeout=60)
    idle.close()


def test_nothing_unsent_starts_no_thread() -> None:
    client: Any = Client(unsent=0)
    idle = IdleFlush(client, "a-thread-that-is-not-needed")
    idle.ask()
    assert "a-thread-that-is-not-needed" not in {thread.name for thread in threading.enumerate()}
    idle.close()


def test_closing_ends_also_while_a_flush_is_under_way() -> None:
    may_end = threading.Event()
    client: Any = Client(1, lambda: may_end.wait(60))
    idle = IdleFlush(client, "idle")
    idle.ask()
    closing = threading.Thread(target=idle.close, daemon=True)
    closing.start()
    may_end.set()
    closing.join(60)
    assert not closing.is_alive()

"""A job that publishes checkpoint after checkpoint while something is done to its brokers or its network."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.integration.kafka_store import Store
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec

_RECORDS = 20


class Publisher(threading.Thread):
    """Takes a checkpoint and publishes it, again and again, until it is told to end."""

    def __init__(self, sink: KafkaSinkSpec, path: Path) -> None:
        super().__init__(daemon=True)
        self._job = Store(path).begin(sink)
        self.published = 0
        self.error: BaseException | None = None
        self._enough = threading.Event()
        self._progressed = threading.Condition()

    def run(self) -> None:
        try:
            self._job.recover()
            while not self._enough.is_set():
                self._job.checkpoint(*(f"{self.published}-{record}" for record in range(_RECORDS)))
                with self._progressed:
                    self.published += 1
                    self._progressed.notify_all()
        except BaseException as error:
            self.error = error
        finally:
            self._job.close()

    def await_more(self, checkpoints: int) -> None:
        """Wait until so many more are published."""
        with self._progressed:
            goal = self.published + checkpoints
            assert self._progressed.wait_for(lambda: self.published >= goal or self.error, 90), "it does not go on"
        assert self.error is None

    def stands_still(self, seconds: float) -> bool:
        """Whether nothing is published for so long, but for what may be under way at the beginning."""
        with self._progressed:
            most = self.published + 1
            return not self._progressed.wait_for(lambda: self.published > most, seconds)

    def finish(self) -> list[str]:
        """End, and return what must have been published."""
        self._enough.set()
        self.join(90)
        assert not self.is_alive()
        assert self.error is None
        return [f"{number}-{record}" for number in range(self.published) for record in range(_RECORDS)]

"""What the bounded in-process sources share: splits known from the start, readers that never wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Json, SourceSplit


class FixedEnumerator:
    """Knows all splits at once; split i belongs to reader i modulo the parallelism."""

    discovery_interval_ms: int | None = None

    def __init__(self, splits: Sequence[SourceSplit], parallelism: int, state: Json | None) -> None:
        self._splits = splits
        self._parallelism = parallelism
        # A checkpoint may have been taken before the first discovery was through.
        self._given = state is not None and bool(state["given"])
        self._numbers = {split.split_id: i for i, split in enumerate(splits)}

    def discover(self) -> Json:
        """Nothing to look for."""
        return None

    def on_discovered(self, result: Json) -> Sequence[SourceSplit]:
        """Give all splits out, once in the life of the job."""
        if self._given:
            return []
        self._given = True
        return self._splits

    def owner(self, split_id: str) -> int:
        """Return the reader of a split; one of another parallelism is spread by its number."""
        number = self._numbers.get(split_id)
        return (int(split_id.rpartition("-")[2]) if number is None else number) % self._parallelism

    def snapshot(self) -> Json:
        """Nothing but whether splits were given out."""
        return {"given": self._given}

    def close(self) -> None:
        """Nothing to release."""


class BoundedReader:
    """Keeps the splits; a subclass reads them one after the other in ``poll``."""

    def __init__(self) -> None:
        self._splits: deque[SourceSplit] = deque()
        self._no_more = False
        self._finished: list[str] = []

    def add_splits(self, splits: Sequence[SourceSplit]) -> None:
        """Take over splits."""
        self._splits.extend(splits)

    def no_more_splits(self) -> None:
        """Learn that these are all."""
        self._no_more = True

    def is_finished(self) -> bool:
        """Whether all splits are read."""
        return self._no_more and not self._splits

    def finished_splits(self) -> Sequence[str]:
        """Return the splits that ended since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def snapshot(self) -> Sequence[SourceSplit]:
        """Return the splits at their positions."""
        return list(self._splits)

    def notify_checkpoint_complete(self, splits: Sequence[SourceSplit]) -> None:
        """Nothing to commit."""

    def pause(self, split_ids: Iterable[str]) -> None:
        """Splits are read one after the other, so there is nothing to hold back."""

    def metrics(self) -> Mapping[str, float]:
        """No gauges."""
        return {}

    def close(self) -> None:
        """Nothing to release."""


class AlwaysReady:
    """A spec whose preflight has nothing to check."""

    bounded = True

    def preflight(self, configuration: Configuration) -> None:
        """Nothing can be wrong."""

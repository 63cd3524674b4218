"""A sink whose output lies in files of the job directory until it is published, like an exactly-once Kafka sink's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.sinks import PublishingCommitter, PublishingSink, PublishingWriter
from wiesel.core.contracts import Committable, CommitterContext, Json, SinkContext
from wiesel.core.disk import OsDisk, write_durably


class SegmentSink(PublishingSink):
    """The spec; nothing is published while ``outside`` is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.outside = threading.Event()
        self.outside.set()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "outside"}

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> SegmentWriter:
        """Return a writer."""
        return SegmentWriter(self, context)

    def create_committer(self, context: CommitterContext) -> SegmentCommitter:  # type: ignore[override]
        """Return the committer."""
        return SegmentCommitter(self, context)


class SegmentWriter(PublishingWriter):
    """Moves the values of each committable into a file."""

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Return the values since the last barrier, in a file."""
        directory = self._context.job_directory
        assert directory is not None
        return [self._in_file(directory, committable) for committable in super().prepare_commit(checkpoint_id)]

    @staticmethod
    def _in_file(directory: Path, committable: Committable) -> Committable:
        data = dict(committable.data)
        path = f"wal/{str(data['name']).replace('/', '-')}.wal"
        OsDisk().make_directory(directory / "wal")
        write_durably(OsDisk(), directory / path, str(data.pop("values")).encode())
        return Committable(committable.sink_uid, data, path)


class SegmentCommitter(PublishingCommitter):
    """Publishes what the files hold."""

    def __init__(self, sink: SegmentSink, context: CommitterContext) -> None:
        super().__init__(sink)
        self._outside = sink.outside
        self._context = context

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Publish what is left."""
        super().recover(self._read(pending), state)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish."""
        super().commit(self._read(committables))

    def _read(self, committables: Sequence[Committable]) -> list[Committable]:
        while committables and not self._outside.wait(0.01):
            if self._context.stopping():
                raise ConnectionError("nobody is there")
        return [Committable(c.sink_uid, {**c.data, "values": self._values(c.path)}) for c in committables]

    def _values(self, path: str | None) -> Json:
        assert path is not None
        return (self._context.job_directory / path).read_text()

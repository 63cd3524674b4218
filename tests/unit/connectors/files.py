"""What the tests of the file connectors share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SinkContext, SourceContext
from wiesel.datastream.data_stream import DataStream
from wiesel.testing.clock import ManualClock


def sink_context(clock: ManualClock, subtask: int = 0, parallelism: int = 1) -> SinkContext:
    def ignore(error: BaseException) -> None:
        """The test sees the error where the writer raises it."""

    return SinkContext("uid", "sink", subtask, parallelism, "lineage", 0, None, Configuration(), clock, ignore)


def source_context(subtask: int = 0, parallelism: int = 1) -> SourceContext:
    return SourceContext("uid", "source", subtask, parallelism, Configuration(), lambda: None)


def finished(folder: Path) -> dict[str, str]:
    """Content of the files that are not hidden, by their path below ``folder``."""
    return {
        str(p.relative_to(folder)): p.read_text()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.startswith(".")
    }


def hidden(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob(".*") if p.is_file())


def read_all(reader: Any, max_records: int = 512) -> list[Any]:
    values: list[Any] = []
    while (batch := reader.poll(max_records)) is not None:
        values += batch.values
    return values


def collected(stream: DataStream) -> list[Any]:
    """Run the job and return the records of ``stream``."""
    with stream.execute_and_collect() as records:
        return list(records)

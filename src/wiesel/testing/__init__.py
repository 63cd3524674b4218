"""The public test kit: operator harness, in-memory source and sink, conformance checks, clock, disk, pytest plugin.

Names are loaded when they are used, because pytest imports this package in every session of an environment that has
Wiesel. docs/testing-your-job.md shows all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wiesel.testing.clock import ManualClock
    from wiesel.testing.conformance import Check, ConformanceError
    from wiesel.testing.function_harness import harness_of
    from wiesel.testing.harness import OperatorHarness
    from wiesel.testing.harness_ends import TimestampedValue
    from wiesel.testing.in_memory_sink import InMemorySink
    from wiesel.testing.in_memory_source import InMemorySource
    from wiesel.testing.kafka_topic import KafkaTopic
    from wiesel.testing.memory_disk import MemoryDisk
    from wiesel.testing.sink_conformance import SinkConformance
    from wiesel.testing.snapshot import Snapshot
    from wiesel.testing.source_conformance import SourceConformance

__all__ = [
    "Check",
    "ConformanceError",
    "InMemorySink",
    "InMemorySource",
    "KafkaTopic",
    "ManualClock",
    "MemoryDisk",
    "OperatorHarness",
    "SinkConformance",
    "Snapshot",
    "SourceConformance",
    "TimestampedValue",
    "harness_of",
]

_HOMES = {
    "Check": "conformance",
    "ConformanceError": "conformance",
    "InMemorySink": "in_memory_sink",
    "InMemorySource": "in_memory_source",
    "KafkaTopic": "kafka_topic",
    "ManualClock": "clock",
    "MemoryDisk": "memory_disk",
    "OperatorHarness": "harness",
    "SinkConformance": "sink_conformance",
    "Snapshot": "snapshot",
    "SourceConformance": "source_conformance",
    "TimestampedValue": "harness_ends",
    "harness_of": "function_harness",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wiesel.testing' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"wiesel.testing.{home}"), name)

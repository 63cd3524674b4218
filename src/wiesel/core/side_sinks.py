"""The contract of sources that bring sinks of their own: what a source writes to a side output goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Sink


@dataclass(frozen=True, slots=True)
class SideSink:
    """A sink that belongs to a source: what it writes to one of its side outputs goes there.

    Args:
        tag: the side output.
        sink: its spec.
        name: of the sink operator.
    """

    tag: str
    sink: Sink
    name: str


@runtime_checkable
class SourceWithSideSinks(Protocol):
    """A ``Source`` that brings sinks of its own (dead letters); they are added to the job beside it."""

    def with_configuration(self, configuration: Configuration) -> SourceWithSideSinks:
        """Return the source with what it leaves to the job's configuration filled in."""

    def side_sinks(self) -> Sequence[SideSink]:
        """Return the sinks, with tags of their own."""

"""Sources and sinks of one's own, in Python; PyFlink cannot have them, so such a script runs here and not on Flink.

A source is a *spec*: inert data with ``create_enumerator`` (finds splits) and ``create_reader`` (reads them), wrapped
as ``Source(spec)`` for ``env.from_source``. A sink is a spec with ``create_writer`` and, if its output appears with
checkpoints, ``create_committer``, wrapped as ``Sink(spec)`` for ``stream.sink_to``. The contracts in full are in
``wiesel.core.contracts``; the bases here do what most sources and sinks need not think about. docs/connectors.md shows
both, examples/own_source.py and examples/own_sink.py run.
"""

from __future__ import annotations

from wiesel.connectors.collections.bounded import AlwaysReady as BoundedSource
from wiesel.connectors.collections.bounded import BoundedReader as SplitReader
from wiesel.connectors.collections.bounded import FixedEnumerator as FixedSplits
from wiesel.connectors.collections.sinks import PlainSink
from wiesel.connectors.collections.sinks import PlainWriter as SimpleWriter
from wiesel.core.contracts import (
    Committable,
    Committer,
    CommitterContext,
    SinkContext,
    SinkWriter,
    SourceBatch,
    SourceContext,
    SourceReader,
    SourceSplit,
    SplitEnumerator,
)
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.datastream.connectors.base import Sink, Source

__all__ = [
    "MIN_TIMESTAMP",
    "BoundedSource",
    "Committable",
    "Committer",
    "CommitterContext",
    "FixedSplits",
    "PlainSink",
    "SimpleWriter",
    "Sink",
    "SinkContext",
    "SinkWriter",
    "Source",
    "SourceBatch",
    "SourceContext",
    "SourceReader",
    "SourceSplit",
    "SplitEnumerator",
    "SplitReader",
]
